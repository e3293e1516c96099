/** Several gateways on one engine: each answers for every purchase, whoever published it, also when that one is gone. */
import { Purchase, purchaseRequests } from "@plateau/domain";
import { expect, test } from "vitest";
import { EventReader } from "../testing/event-reader.ts";
import { type Misbehaviour, withFaultyRequester } from "../testing/faulty-queue.ts";
import { type Answer, type BedOptions, type GatewayBed, useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();
const headers = { "idempotency-key": "k" };
const later = { ...headers, prefer: "respond-async" };
const stateOf = ({ body }: Answer): string => (body as Purchase).state;
const codeOf = ({ body }: Answer): unknown => (body as { code?: unknown }).code;
const never = <T>(): Promise<T> => new Promise(() => undefined);

/** Two gateways, `a` asked first; an open sale, and nobody who decides. */
async function twoGateways(options: BedOptions = {}) {
  const bed = await startBed({ company: "beside-others", ...options });
  const a = bed.gateway;
  const b = await bed.startGateway({ wrapQueue: (queue) => queue });
  const sale = await bed.openSale({ stock: 20, perUserLimit: 5 });
  const shopper = await bed.signIn();
  await bed.buy(sale.id, (await bed.signIn()).token);
  await bed.stopStages();
  bed.ask(a);
  return { bed, a, b, sale, ...shopper };
}

async function messagesIn(bed: GatewayBed): Promise<number> {
  const partitions = await bed.queue.groupStatistics("risk", purchaseRequests as never);
  return partitions.reduce((sum, { end }) => sum + end, 0);
}

test("what one gateway has in flight the other shows by id, in the sale, and to nobody else", async () => {
  const { bed, b, sale, token, userId } = await twoGateways();
  const told = await bed.buy(sale.id, token, { headers: later, body: { quantity: 2 } });
  const queued = Purchase.parse(told.body);
  const path = told.headers.get("location") ?? "";
  bed.ask(b);
  const shown = await bed.call("GET", path, { token });
  expect(shown.body).toMatchObject({ id: queued.id, userId, quantity: 2, state: "queued" });
  const own = await bed.call("GET", `/api/sales/${sale.id}/purchases`, { token });
  expect((own.body as { purchases: Purchase[] }).purchases).toMatchObject([{ id: queued.id, state: "queued" }]);
  const stranger = await bed.signIn();
  expect((await bed.call("GET", path, { token: stranger.token })).status).toBe(404);
  expect((await bed.call("GET", `/api/sales/${sale.id}/purchases`, { token: stranger.token })).body).toEqual({
    purchases: [],
  });
  await bed.startStages();
  await bed.until(
    () => bed.call("GET", path, { token }),
    (answer) => stateOf(answer) === "won",
  );
});

test("a retry at the other gateway: 202 and the same Location while in flight, then the same answer; one message", async () => {
  const { bed, a, b, sale, token } = await twoGateways();
  const told = await bed.buy(sale.id, token, { headers: later });
  const before = await messagesIn(bed);
  bed.ask(b);
  const again = await bed.buy(sale.id, token, { headers: later });
  expect([again.status, again.headers.get("location")]).toEqual([202, told.headers.get("location")]);
  const other = await bed.buy(sale.id, token, { headers: later, body: { quantity: 2 } });
  expect([other.status, codeOf(other)]).toEqual([422, "key-reused"]);
  const held = bed.buy(sale.id, token, { headers });
  await bed.startStages();
  expect((await held).status).toBe(201);
  bed.ask(a);
  const atTheFirst = await bed.buy(sale.id, token, { headers });
  expect([atTheFirst.status, atTheFirst.body]).toEqual([201, (await held).body]);
  expect(await messagesIn(bed)).toBe(before);
});

test("a gateway dies before it answered: a retry elsewhere finds the purchase, whatever would refuse a new one", async () => {
  const order: Misbehaviour = {};
  const { bed, b, sale, token } = await twoGateways({ wrapQueue: withFaultyRequester(order) });
  // Stored, and then nobody is there any more to hear of it.
  order.send = (real, topic, value, options) => {
    real(topic, value, options);
    return { published: never(), reply: never() };
  };
  const before = await messagesIn(bed);
  const unanswered = bed.buy(sale.id, token, { headers });
  await expect.poll(() => messagesIn(bed)).toBe(before + 1);

  bed.ask(b);
  await bed.knobs.patch({ backlogMax: 1, userRatePerSecond: 1 });
  const found = await bed.buy(sale.id, token, { headers: later });
  expect(found.status).toBe(202);
  expect((await bed.buy(sale.id, token, { headers: later, body: { quantity: 3 } })).status).toBe(422);
  await bed.startStages();
  const ended = await bed.until(
    () => bed.call("GET", found.headers.get("location") ?? "", { token }),
    (answer) => stateOf(answer) !== "queued",
  );
  expect(stateOf(ended)).toBe("won");
  await bed.stop();
  await unanswered;
});

test("one key sent to both at once is one purchase with one answer; with two bodies one of them is 422", async () => {
  const { bed, a, b, sale, token } = await twoGateways();
  await bed.startStages();
  const before = await messagesIn(bed);
  const send = (gateway: typeof a, call: object = {}): Promise<Answer> => {
    bed.ask(gateway);
    return bed.buy(sale.id, token, { headers, ...call });
  };
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => send(n % 2 === 0 ? a : b)));
  expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
  expect(answers[0]?.status).toBe(201);
  expect(await messagesIn(bed)).toBe(before + 1);
  const key = { headers: { "idempotency-key": "other" } };
  const mixed = await Promise.all([send(a, key), send(b, { ...key, body: { quantity: 2 } })]);
  expect(mixed.map(({ status }) => status).sort()).toEqual([201, 422]);
});

test("events of a purchase come from any gateway", async () => {
  const { bed, b, sale, token } = await twoGateways();
  const told = await bed.buy(sale.id, token, { headers: later });
  const reader = await EventReader.open(`${b.url}${told.headers.get("location")}/events`, token);
  expect(await reader.next()).toMatchObject({ event: "purchase", data: { state: "queued" } });
  await bed.startStages();
  let event = await reader.next();
  while ((event?.data as Purchase | undefined)?.state === "queued") event = await reader.next();
  expect(event).toMatchObject({ event: "purchase", data: { state: "won" } });
  reader.close();
});

test("a position that one gateway told is not exceeded by the other", async () => {
  const { bed, a, b, sale, token } = await twoGateways();
  const told = Purchase.parse((await bed.buy(sale.id, token, { headers: later })).body);
  for (let n = 0; n < 8; n++) await bed.buy(sale.id, (await bed.signIn()).token, { headers: later });
  for (const gateway of [b, a, b]) {
    bed.ask(gateway);
    const { position } = Purchase.parse((await bed.call("GET", `/api/purchases/${told.id}`, { token })).body);
    expect(position).toBeLessThanOrEqual(told.position ?? -1);
  }
});

test("what is overdue and was never decided is resolved by any gateway that is asked", async () => {
  const { bed, b, sale, token } = await twoGateways({ timings: { decideWithinMs: 50 } });
  const told = await bed.buy(sale.id, token, { headers: later });
  bed.ask(b);
  await bed.startStages();
  const ended = await bed.until(
    () => bed.call("GET", told.headers.get("location") ?? "", { token }),
    (answer) => stateOf(answer) !== "queued",
  );
  expect(["expired", "won"]).toContain(stateOf(ended));
});
