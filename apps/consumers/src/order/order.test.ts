import { groups, orders, reservations } from "@plateau/domain";
import { startTestPostgres, type TestPostgres } from "@plateau/prisma/testing/postgres";
import type { Queue } from "queue-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { ConsumersBed, forever, within } from "../testing/consumers-bed.ts";
import { startOrderConsumer } from "./order.ts";

let postgres: TestPostgres;
let bed: ConsumersBed;
let queue: Queue;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  bed = await ConsumersBed.open(postgres);
  queue = await bed.process();
});
afterEach(() => bed.close());

const checkAfterMs = 300;
const start = async (process = queue) => (await startOrderConsumer({ queue: process, db: bed.db, checkAfterMs }))[0];
const told = async () => (await bed.all(queue, orders)).map((event) => `${event.orderId}:${event.type}`).sort();
const statesOf = async () =>
  Object.fromEntries((await bed.db.order.findMany()).map((row) => [row.id, `${row.state}/${row.version}`]));
const isTellingOrders = (commit: { append?: readonly { topic: string }[] }) =>
  commit.append?.some((append) => append.topic === orders.name) ?? false;

test("each change of a reservation makes one row change and one event", async () => {
  await start();
  await bed.addUsers("ann", "bob", "cem");
  for (const event of [
    bed.reserved("ann"),
    bed.reserved("bob"),
    bed.sold("ann"),
    bed.reserved("cem"),
    bed.released("bob", "cancelled"),
    { ...bed.sold("ann"), type: "pay-refused" as const },
  ]) {
    await queue.publish(reservations, event);
  }
  await bed.drained(queue, "order");
  expect(await statesOf()).toEqual({
    [bed.orderOf("ann")]: "paid/2",
    [bed.orderOf("bob")]: "cancelled/2",
    [bed.orderOf("cem")]: "awaiting_payment/1",
  });
  expect(await told()).toEqual(
    [`${bed.orderOf("ann")}:created`, `${bed.orderOf("ann")}:paid`, `${bed.orderOf("bob")}:created`]
      .concat([`${bed.orderOf("bob")}:cancelled`, `${bed.orderOf("cem")}:created`])
      .sort(),
  );
});

test("a row keeps when its request was received, judged and reserved, and when it was itself first written", async () => {
  const known = { atMs: 1_000_030, requestedAtMs: 1_000_000, judgedAtMs: 1_000_010 };
  const writtenFrom = queue.now();
  await start();
  for (const message of [bed.reserved("ann", known), bed.reserved("bob", { atMs: 1_000_040 })])
    await queue.publish(reservations, message);
  await bed.drained(queue, "order");
  const writtenBy = queue.now();
  const rows = await bed.db.order.findMany({ orderBy: { reservedAt: "asc" } });
  expect(rows).toMatchObject([
    { requestedAt: new Date(1_000_000), judgedAt: new Date(1_000_010), reservedAt: new Date(1_000_030) },
    // As messages from before these times were told.
    { requestedAt: null, judgedAt: null, reservedAt: new Date(1_000_040) },
  ]);
  for (const { createdAt } of rows) {
    expect(createdAt.getTime()).toBeGreaterThanOrEqual(writtenFrom);
    expect(createdAt.getTime()).toBeLessThanOrEqual(writtenBy);
  }
  await queue.publish(reservations, bed.reserved("ann", { atMs: 3, requestedAtMs: 1, judgedAtMs: 2 }));
  await bed.drained(queue, "order");
  expect(await bed.db.order.findMany({ orderBy: { reservedAt: "asc" } })).toEqual(rows);
});

test("events delivered again, early ones after late ones included, change no row", async () => {
  await start();
  for (const event of [bed.reserved("ann"), bed.sold("ann")]) await queue.publish(reservations, event);
  await bed.drained(queue, "order");
  const row = await bed.db.order.findMany();
  const again = [bed.reserved("ann"), bed.sold("ann"), bed.released("ann", "cancelled"), bed.reserved("ann")];
  for (const event of again) await queue.publish(reservations, { ...event, atMs: 1 });
  await bed.drained(queue, "order");
  expect(await bed.db.order.findMany()).toEqual(row);
  expect(row).toMatchObject([{ state: "paid", version: 2 }]);
});

test("an end that comes before its beginning makes the order, ended, and the beginning then changes nothing", async () => {
  await start();
  await queue.publish(reservations, bed.released("ann", "payment_expired"));
  await queue.publish(reservations, bed.reserved("ann"));
  await bed.drained(queue, "order");
  expect(await statesOf()).toEqual({ [bed.orderOf("ann")]: "payment_expired/2" });
  expect(new Set(await told())).toEqual(
    new Set([`${bed.orderOf("ann")}:created`, `${bed.orderOf("ann")}:payment_expired`]),
  );
});

test("killed between the rows' commit and the events' commit, the check-back makes the events visible", async () => {
  const first = await bed.process();
  const member = await start(first);
  let reached: () => void;
  const atCommit = new Promise<void>((resolve) => {
    reached = resolve;
  });
  bed.onCommit = (commit) => {
    if (!isTellingOrders(commit)) return;
    reached();
    return forever;
  };
  for (const name of ["ann", "bob"]) await queue.publish(reservations, bed.reserved(name));
  await atCommit;
  member.kill();
  bed.onCommit = undefined;
  await vi.waitFor(async () => expect(new Set(await told()).size).toBeGreaterThanOrEqual(1), within);
  expect((await bed.all(queue, orders)).length).toBeGreaterThanOrEqual(1);

  await start();
  await bed.drained(queue, "order");
  const events = await told();
  expect(new Set(events)).toEqual(new Set([`${bed.orderOf("ann")}:created`, `${bed.orderOf("bob")}:created`]));
  expect(await bed.db.order.count()).toBe(2);
});

test("killed before the rows were written, nothing is told until the next delivery writes them", async () => {
  const member = await start(await bed.process());
  let reached: () => void;
  const atDatabase = new Promise<void>((resolve) => {
    reached = resolve;
  });
  // The half messages' own commit is the last thing the killed process does: its statements never run.
  bed.onCommit = (commit) => {
    if (!commit.put?.some((entry) => entry.namespace.startsWith("$half/"))) return;
    reached();
    return forever;
  };
  await queue.publish(reservations, bed.reserved("ann"));
  await atDatabase;
  member.kill();
  bed.onCommit = undefined;
  expect(await told()).toEqual([]);
  expect(await bed.db.order.count()).toBe(0);
  await start();
  await bed.drained(queue, "order");
  expect(await told()).toEqual([`${bed.orderOf("ann")}:created`]);
});

/** Holds every order row and its table's writers back until the returned function is called. */
async function lockOrders(): Promise<() => Promise<void>> {
  const locked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const holding = bed.db.$transaction(
    async (transaction) => {
      await transaction.$executeRaw`LOCK TABLE orders IN SHARE MODE`;
      locked.resolve();
      await release.promise;
    },
    { timeout: 60_000 },
  );
  await locked.promise;
  return async () => {
    release.resolve();
    await holding;
  };
}

test("a check-back leaves rows that are still being written alone: each event is told, once", async () => {
  const member = await start();
  const other = await startOrderConsumer({ queue: await bed.process(), db: bed.db, checkAfterMs: 20 });
  await other[0].stop();
  const unlock = await lockOrders();
  const asked = vi.spyOn(bed.db.order, "findUnique");
  for (const name of ["ann", "bob"]) await queue.publish(reservations, bed.reserved(name));
  await vi.waitFor(() => expect(asked.mock.calls.length).toBeGreaterThanOrEqual(2), within);
  await unlock();
  await bed.drained(queue, "order");
  expect(await told()).toEqual(["ann", "bob"].map((name) => `${bed.orderOf(name)}:created`).sort());
  expect(await bed.db.order.count()).toBe(2);
  expect(member.statistics()).toMatchObject({ retried: 0, deadLettered: 0 });
});

test("events that a check-back dropped while the rows were written are told all the same", async () => {
  await start();
  const checkAfterMs = 20;
  const other = await startOrderConsumer({ queue: await bed.process(), db: bed.db, checkAfterMs, writtenWithinMs: 0 });
  await other[0].stop();
  const unlock = await lockOrders();
  await queue.publish(reservations, bed.reserved("ann"));
  const dropped = () => queue.engine.scanState(`$half-rolled-back/${groups.order}/${orders.name}`, { limit: 1 });
  await vi.waitFor(async () => expect(await dropped()).toHaveLength(1), within);
  await unlock();
  await bed.drained(queue, "order");
  expect(new Set(await told())).toEqual(new Set([`${bed.orderOf("ann")}:created`]));
  expect(await bed.db.order.count()).toBe(1);
});

test("while the database is down nothing is told, and when it is back nothing is missing", async () => {
  const member = await start();
  await bed.databaseDown();
  for (const name of ["ann", "bob", "cem"]) await queue.publish(reservations, bed.reserved(name));
  await vi.waitFor(() => expect(member.statistics().batches).toBeGreaterThanOrEqual(2), within);
  expect(await told()).toEqual([]);
  await bed.databaseBack();
  await bed.drained(queue, "order");
  expect(await bed.db.order.count()).toBe(3);
  expect(new Set(await told()).size).toBe(3);
  expect(member.statistics()).toMatchObject({ deadLettered: 0, retried: 0 });
});

test("a buyer whose row is missing is added; an order of an unknown sale stays behind alone", async () => {
  const member = await start();
  await queue.publish(
    reservations,
    bed.reserved("lost", { saleId: "nowhere" as never, reservationId: "nowhere.x" as never }),
  );
  for (const name of ["ann", "bob", "cem", "dan"]) await queue.publish(reservations, bed.reserved(name));
  await vi.waitFor(async () => expect(await bed.db.order.count()).toBe(4), within);
  await vi.waitFor(() => expect(member.statistics().retried).toBeGreaterThan(1), within);
  expect(await bed.db.user.findUnique({ where: { id: "u_ann" } })).toMatchObject({ name: "Shopper" });
  expect(new Set(await told()).size).toBe(4);
  expect((await bed.all(queue, orders)).every((event) => event.saleId === bed.saleId)).toBe(true);
});

test("a refused batch of one dead partition key leaves no half message behind", async () => {
  const member = await start();
  await queue.publish(reservations, bed.reserved("ann", { quantity: 0 }));
  await vi.waitFor(() => expect(member.statistics().retried).toBeGreaterThan(0), within);
  expect(await queue.engine.scanState(`$half/${groups.order}/${orders.name}`, { limit: 10 })).toEqual([]);
});
