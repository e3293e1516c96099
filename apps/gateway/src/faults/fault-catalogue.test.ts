/** The catalogue of faults: how one is ordered, seen, counted, and how it ends. */
import { ControlHistory, FaultState, FaultStates, faultIds } from "@plateau/domain";
import { expect, test } from "vitest";
import { adminToken, type GatewayBed, useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();
const admin = { token: adminToken };

async function states(bed: GatewayBed): Promise<readonly FaultState[]> {
  return FaultStates.parse((await bed.call("GET", "/api/ops/faults", admin)).body).faults;
}

const stateOf = async (bed: GatewayBed, id: string): Promise<FaultState | undefined> =>
  (await states(bed)).find((state) => state.id === id);

test("all faults are listed; those of the outside world say why they cannot be had without one", async () => {
  const bed = await startBed();
  const all = await states(bed);
  expect(all.map(({ id }) => id)).toEqual(faultIds);
  expect(all.filter(({ unavailable }) => unavailable !== null).map(({ id }) => id)).toEqual([
    "payments",
    "sms",
    "risk",
  ]);
  expect(all.every(({ active, startedAtMs }) => !active && startedAtMs === null)).toBe(true);
});

test("a slow database makes what asks it wait, is counted, and ends by itself; marks tell of both", async () => {
  const bed = await startBed();
  const ordered = await bed.call("PUT", "/api/ops/faults/slow-database", {
    ...admin,
    body: { seconds: 2, delayMs: 700 },
  });
  expect(FaultState.parse(ordered.body)).toMatchObject({ active: true, order: { seconds: 2, delayMs: 700 } });
  const began = performance.now();
  await bed.db.product.count();
  expect(performance.now() - began).toBeGreaterThanOrEqual(690);
  await bed.until(
    () => bed.call("GET", "/api/ops/faults", admin),
    ({ body }) => {
      const slow = FaultStates.parse(body).faults.find(({ id }) => id === "slow-database");
      return slow?.active === false && (slow.hits ?? 0) > 0;
    },
  );
  await bed.until(
    () => bed.call("GET", "/api/ops/history", admin),
    ({ body }) => ControlHistory.parse(body).marks.some(({ kind }) => kind === "fault-ended"),
  );
  const { marks } = ControlHistory.parse((await bed.call("GET", "/api/ops/history", admin)).body);
  const [start, end] = marks.filter(({ what }) => what === "slow-database");
  expect([start?.kind, start?.by, end?.kind]).toEqual(["fault-began", "control room", "fault-ended"]);
  expect((end?.atMs ?? 0) - (start?.atMs ?? 0)).toBe(2_000);
});

test("a paused group ends with DELETE; ending what does not act changes nothing", async () => {
  const bed = await startBed();
  await bed.call("PUT", "/api/ops/faults/pause-group", { ...admin, body: { group: "stats", seconds: 300 } });
  expect((await stateOf(bed, "pause-group"))?.active).toBe(true);
  expect(bed.faults.active("pause-group")?.order.group).toBe("stats");
  await bed.call("DELETE", "/api/ops/faults/pause-group", admin);
  expect(bed.faults.active("pause-group")).toBeUndefined();
  const again = await bed.call("DELETE", "/api/ops/faults/pause-group", admin);
  expect(again).toMatchObject({ status: 200, body: { active: false } });
});

test("a worker to be killed is chosen among those that hold partitions", async () => {
  const bed = await startBed();
  const { body } = await bed.call("PUT", "/api/ops/faults/kill-worker", { ...admin, body: {} });
  const { owner } =
    (await bed.queue.groupStatistics("risk", { name: "purchase-requests", partitions: 8 } as never))[0] ?? {};
  expect(FaultState.parse(body).order).toEqual({ seconds: 8, worker: owner });
  await bed.stopStages();
  const nobody = await bed.call("PUT", "/api/ops/faults/kill-worker", { ...admin, body: {} });
  expect(nobody.status).toBe(400);
});

test("the same order through another gateway is seen here, and what it counts is summed", async () => {
  const bed = await startBed();
  const other = bed.gateway;
  await bed.startGateway();
  await bed.call("PUT", "/api/ops/faults/poison", { ...admin, body: { topic: "orders" } });
  bed.ask(other);
  await bed.until(
    () => bed.call("GET", "/api/ops/faults", admin),
    ({ body }) => FaultStates.parse(body).faults.some(({ id, hits }) => id === "poison" && hits === 1),
  );
});

test.each([
  ["pause-group", { seconds: 301 }],
  ["pause-group", { group: "moon" }],
  ["slow-database", { delayMs: 0 }],
  ["slow-database", { delayMs: 5_001 }],
  ["deliver-twice", { group: "stock" }],
  ["kill-worker", { seconds: 0 }],
  ["poison", { topic: "replies" }],
  ["replies", { loseEvery: -1 }],
  ["payments", { explode: 1 }],
])("an order out of its bounds is refused: %s %j", async (id, body) => {
  const bed = await startBed({ stages: false });
  expect((await bed.call("PUT", `/api/ops/faults/${id}`, { ...admin, body })).status).toBe(400);
  expect((await bed.call("PUT", `/api/ops/faults/${id}`, { body: {} })).status).toBe(401);
  expect((await bed.call("DELETE", `/api/ops/faults/${id}`)).status).toBe(401);
});
