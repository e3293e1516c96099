import { ControlHistory, ControlRoom, ControlSecond, edgeIds, Mark } from "@plateau/domain";
import { expect, test } from "vitest";
import { EventReader } from "../testing/event-reader.ts";
import { adminToken, type GatewayBed, useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();
const admin = { token: adminToken };

/** Reads on until a second is as wanted. */
async function second(reader: EventReader, isWanted: (one: ControlSecond) => boolean): Promise<ControlSecond> {
  for (;;) {
    const event = await reader.next();
    if (event === undefined) throw new Error("the stream ended");
    if (event.event !== "second") continue;
    const found = ControlSecond.parse(event.data);
    if (isWanted(found)) return found;
  }
}

const watch = (bed: GatewayBed): Promise<EventReader> => EventReader.open(`${bed.url}/api/ops/stream`, adminToken);

test("a second tells of arrivals, decisions, every edge, the three spans and the sale's units", async () => {
  const bed = await startBed();
  const reader = await watch(bed);
  const sale = await bed.openSale({ stock: 7 });
  const { token } = await bed.signIn();
  await bed.buy(sale.id, token);
  const { latency, edges } = await second(reader, ({ decided }) => decided > 0);
  expect(edges.map(({ id }) => id)).toEqual(edgeIds);
  for (const span of ["enqueue", "wait", "answer"] as const) expect(latency[span].p99).not.toBeNull();
  const { sales } = await second(reader, (one) => one.sales.some(({ reserved }) => reserved === 1));
  expect(sales).toContainEqual({
    saleId: sale.id,
    title: sale.title,
    stock: 7,
    available: 6,
    reserved: 1,
    sold: 0,
    holds: true,
  });
  reader.close();
});

test("while nobody decides, the edge before risk tells how many wait, and for how long", async () => {
  const bed = await startBed({ timings: { waitMs: 0 } });
  const sale = await bed.openSale();
  await bed.stopStages();
  const { token } = await bed.signIn();
  await bed.buy(sale.id, token);
  const reader = await watch(bed);
  const waiting = await second(reader, ({ edges }) => (edges[0]?.oldestAgeMs ?? 0) > 0);
  expect(waiting.backlog).toBe(1);
  expect(waiting.edges.find(({ id }) => id === "requests")).toMatchObject({ depthMessages: 1, group: "risk" });
  expect(waiting.edges.find(({ id }) => id === "replies")).toMatchObject({ depthMessages: 1, inFlight: 1 });
  reader.close();
});

test("an hour is kept, by columns of one length; refusals by their reason", async () => {
  const bed = await startBed();
  const sale = await bed.openSale({ stock: 1 });
  const { token } = await bed.signIn();
  const answer = await bed.until(
    async () => {
      await bed.buy(sale.id, token);
      return bed.call("GET", "/api/ops/history?seconds=3600", admin);
    },
    ({ body }) => ControlHistory.parse(body).shedBy["sold-out"]?.some((rate) => rate > 0) === true,
  );
  const history = ControlHistory.parse(answer.body);
  const { length } = history.atMs;
  expect(history.arrivals).toHaveLength(length);
  expect(history.latency.answer.p99).toHaveLength(length);
  expect(history.decided.reduce((sum, rate) => sum + rate, 0)).toBeGreaterThan(0);
  expect(history.atMs).toEqual([...new Set(history.atMs)].sort((a, b) => a - b));
  const last = ControlHistory.parse((await bed.call("GET", "/api/ops/history?seconds=1", admin)).body);
  expect(last.atMs).toHaveLength(1);
  for (const seconds of ["0", "3601", "x"]) {
    expect((await bed.call("GET", `/api/ops/history?seconds=${seconds}`, admin)).status).toBe(400);
  }
});

test("a sale that is made and a knob that is turned are marks, streamed and kept", async () => {
  const bed = await startBed();
  const reader = await watch(bed);
  const sale = await bed.openSale({ stock: 3 });
  await bed.call("PATCH", "/api/ops/knobs", { ...admin, body: { decisionCostMs: 4 } });
  await bed.call("PATCH", "/api/ops/knobs", { ...admin, body: { decisionCostMs: 9 } });
  const seen: Mark[] = [];
  while (!seen.some(({ detail }) => detail.to === 9)) {
    const event = await reader.next();
    if (event?.event === "marks") seen.push(...Mark.array().parse(event.data));
  }
  expect(seen).toContainEqual(expect.objectContaining({ kind: "sale-made", what: sale.id }));
  const { marks } = ControlHistory.parse((await bed.call("GET", "/api/ops/history", admin)).body);
  const ofKnob = marks.filter(({ kind }) => kind === "knob");
  expect(ofKnob.at(0)).toMatchObject({ what: "decisionCostMs", detail: { from: 0 }, by: "control room" });
  expect(ofKnob.at(-1)?.detail.to).toBe(9);
  reader.close();
});

test("twenty watch one stream, and each gets the same text", async () => {
  const bed = await startBed();
  const readers = await Promise.all(Array.from({ length: 20 }, () => watch(bed)));
  const seconds = await Promise.all(readers.map((reader) => second(reader, ({ viewers }) => viewers === 20)));
  expect(new Set(seconds.map(({ atMs }) => atMs)).size).toBe(1);
  for (const reader of readers) reader.close();
});

test("the audit runs while somebody watches", async () => {
  const bed = await startBed();
  const reader = await watch(bed);
  const { audit } = await second(reader, (one) => one.audit !== null);
  expect(["pass", "unknown"]).toContain(audit?.verdict);
  reader.close();
});

test("the room tells what it is, and nothing of it is for others", async () => {
  const bed = await startBed();
  expect(ControlRoom.parse((await bed.call("GET", "/api/ops/room", admin)).body)).toMatchObject({
    profile: "embedded",
    fixedKnobs: {},
    storageRisks: [],
  });
  for (const path of ["room", "history", "stream", "faults"]) {
    expect((await bed.call("GET", `/api/ops/${path}`)).status).toBe(401);
  }
});

test("beside other gateways the number of workers is not turned here, and the answer says why", async () => {
  const bed = await startBed({ company: "beside-others" });
  expect(ControlRoom.parse((await bed.call("GET", "/api/ops/room", admin)).body).fixedKnobs).toHaveProperty("workers");
  const refused = await bed.call("PATCH", "/api/ops/knobs", { ...admin, body: { workers: 4 } });
  expect(refused).toMatchObject({ status: 400, body: { code: "invalid-request" } });
  expect(JSON.stringify(refused.body)).toContain("process");
});
