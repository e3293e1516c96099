import { FlowHistory, FlowSample, Purchase, reservationIdOf, stockCommands } from "@plateau/domain";
import { expect, test } from "vitest";
import { EventReader } from "../testing/event-reader.ts";
import { useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();

test("a stream walks from queued to won to the end of the reservation, and ends", async () => {
  const bed = await startBed({ timings: { waitMs: 0 } });
  const sale = await bed.openSale();
  const { token, userId } = await bed.signIn();
  await bed.buy(sale.id, (await bed.signIn()).token, { headers: { prefer: "wait=5" } });
  await bed.stopStages();
  const { id } = Purchase.parse((await bed.buy(sale.id, token)).body);
  const reader = await EventReader.open(`${bed.url}/api/purchases/${id}/events`, token);
  expect(await reader.next()).toMatchObject({ event: "purchase", data: { id, state: "queued", position: 0 } });
  await bed.startStages();
  let event = await reader.next();
  while ((event?.data as Purchase | undefined)?.state === "queued") event = await reader.next();
  expect(event).toMatchObject({ event: "purchase", data: { id, state: "won", orderId: expect.any(String) } });
  await bed.queue.publish(stockCommands, {
    type: "cancel",
    saleId: sale.id as never,
    reservationId: reservationIdOf(id as never),
    userId: userId as never,
  });
  expect(await reader.next()).toMatchObject({ data: { state: "cancelled" } });
  expect(await reader.next()).toBeUndefined();
  // What is over is told once.
  const late = await EventReader.open(`${bed.url}/api/purchases/${id}/events`, token);
  expect(await late.next()).toMatchObject({ data: { state: "cancelled" } });
  expect(await late.next()).toBeUndefined();
});

test("streams are capped per user and in all; a closed one makes room", async () => {
  const bed = await startBed({ streams: { perUser: 2, total: 3 } });
  const sale = await bed.openSale();
  const [first, second] = [await bed.signIn(), await bed.signIn()];
  const ofFirst = Purchase.parse((await bed.buy(sale.id, first.token)).body).id;
  const ofSecond = Purchase.parse((await bed.buy(sale.id, second.token)).body).id;
  const path = (id: string): string => `/api/purchases/${id}/events`;
  const readers = [
    await EventReader.open(`${bed.url}${path(ofFirst)}`, first.token),
    await EventReader.open(`${bed.url}${path(ofFirst)}`, first.token),
  ];
  const third = await bed.call("GET", path(ofFirst), { token: first.token });
  expect(third.body).toMatchObject({ status: 429, code: "throttled", limit: "streams" });
  readers.push(await EventReader.open(`${bed.url}${path(ofSecond)}`, second.token));
  const fourth = await bed.call("GET", path(ofSecond), { token: second.token });
  expect(fourth.body).toMatchObject({ status: 503, code: "overloaded" });
  readers[0]?.close();
  await expect
    .poll(async () => {
      const reader = await EventReader.open(`${bed.url}${path(ofSecond)}`, second.token).catch(() => undefined);
      reader?.close();
      return reader !== undefined;
    })
    .toBe(true);
  for (const reader of readers) reader.close();
});

test("the flow tells each second what passed", async () => {
  const bed = await startBed();
  const reader = await EventReader.open(`${bed.url}/api/flow/events`);
  const sale = await bed.openSale();
  await bed.buy(sale.id, (await bed.signIn()).token);
  const seen = { admitted: 0, decided: 0 };
  let sample: FlowSample;
  do {
    sample = FlowSample.parse((await reader.next())?.data);
    seen.admitted += sample.admitted;
    seen.decided += sample.decided;
  } while (seen.admitted === 0 || seen.decided === 0);
  expect(sample.answerMs.p99).not.toBeNull();
  expect(sample.stages.map(({ group }) => group)).toEqual(["risk", "stock", "order", "payment", "sms", "stats"]);
  expect(FlowSample.parse((await bed.call("GET", "/api/flow")).body).atMs).toBeGreaterThanOrEqual(sample.atMs);
  reader.close();
});

test("a viewer who comes after the rush finds it in the history, and the stream goes on from there", async () => {
  const bed = await startBed();
  const sale = await bed.openSale();
  await bed.buy(sale.id, (await bed.signIn()).token);
  const asked = await bed.until(
    () => bed.call("GET", "/api/flow/history"),
    ({ body }) => FlowHistory.parse(body).samples.some(({ decided }) => decided > 0),
  );
  const { samples } = FlowHistory.parse(asked.body);
  const times = samples.map(({ atMs }) => atMs);
  expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
  expect(samples.reduce((sum, { admitted }) => sum + admitted, 0)).toBeGreaterThan(0);

  const reader = await EventReader.open(`${bed.url}/api/flow/events`);
  // The stream's first event may be the history's last sample: the same instant, so that a page can tell.
  const first = FlowSample.parse((await reader.next())?.data);
  expect(first.atMs).toBeGreaterThanOrEqual(times.at(-1) ?? 0);
  const later = FlowHistory.parse((await bed.call("GET", "/api/flow/history")).body).samples;
  expect(later).toContainEqual(first);
  reader.close();
});
