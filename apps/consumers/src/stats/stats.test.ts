import { admissions, groups, type PurchaseEnded, reservations, results } from "@plateau/domain";
import { readStatistics } from "@plateau/prisma";
import { startTestPostgres, type TestPostgres } from "@plateau/prisma/testing/postgres";
import type { GroupMember, Queue } from "queue-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { ConsumersBed, forever, within } from "../testing/consumers-bed.ts";
import { startStatsConsumer } from "./stats.ts";

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

const startMs = Date.UTC(2031, 4, 4, 12);
const start = (process = queue): Promise<readonly GroupMember[]> =>
  Promise.all(startStatsConsumer({ queue: process, db: bed.db }));

const ended = (n: number, more: Partial<PurchaseEnded> = {}): PurchaseEnded => ({
  purchaseId: `${bed.saleId}.${n}` as never,
  saleId: bed.saleId,
  userId: `u_${n}` as never,
  quantity: 1,
  outcome: "won",
  scored: true,
  requestedAtMs: startMs + 1_000,
  decidedAtMs: startMs + 2_000,
  position: n,
  ...more,
});

const totals = async (saleId: string = bed.saleId) => (await readStatistics(bed.db, saleId)).totals;
const requestsAre = (expected: number, saleId?: string) =>
  vi.waitFor(async () => expect((await totals(saleId)).requests).toBe(expected), within);

test("everything is counted once, in the window of the time it happened", async () => {
  await start();
  await queue.publish(results, ended(1));
  await queue.publish(
    results,
    ended(2, { requestedAtMs: startMs + 9_999, decidedAtMs: startMs + 10_000, outcome: "sold_out" }),
  );
  await queue.publish(results, ended(3, { outcome: "rejected", reason: "velocity" }));
  await queue.publish(reservations, { ...bed.sold("ann"), atMs: startMs + 25_000, quantity: 2, amountCents: 3_800 });
  await queue.publish(reservations, bed.released("bob", "cancelled"));
  await queue.publish(admissions, {
    gatewayId: "g1",
    saleId: bed.saleId,
    windowStartMs: startMs + 9_000,
    arrivals: 7,
    admitted: 3,
    refused: { throttled: 3, overloaded: 1 },
    hints: [],
  });
  await requestsAre(3);
  await vi.waitFor(async () => expect((await totals()).arrivals).toBe(7), within);
  await vi.waitFor(async () => expect((await totals()).soldUnits).toBe(2), within);
  const nothing = { arrivals: 0, requests: 0, won: 0, refused: {}, soldUnits: 0, revenueCents: 0 };
  expect((await readStatistics(bed.db, bed.saleId)).windows).toEqual([
    {
      ...nothing,
      startsAt: "2031-05-04T12:00:00.000Z",
      arrivals: 7,
      requests: 3,
      won: 1,
      refused: { velocity: 1, throttled: 3, overloaded: 1 },
    },
    { ...nothing, startsAt: "2031-05-04T12:00:10.000Z", refused: { sold_out: 1 } },
    { ...nothing, startsAt: "2031-05-04T12:00:20.000Z", soldUnits: 2, revenueCents: 3_800 },
  ]);
});

test("killed after the database's commit and before the queue's, the next member counts nothing twice", async () => {
  let reached: () => void;
  const atCommit = new Promise<void>((resolve) => {
    reached = resolve;
  });
  bed.onCommit = (commit) => {
    // An advance to 0 is how the group made itself known.
    if (commit.advance?.group !== groups.stats || commit.advance.to === 0) return;
    reached();
    return forever;
  };
  const members = await start(await bed.process());
  for (let n = 0; n < 20; n++) await queue.publish(results, ended(n));
  await atCommit;
  await requestsAre(20);
  for (const member of members) member.kill();
  bed.onCommit = undefined;
  await start();
  await queue.publish(results, ended(20));
  await requestsAre(21);
});

test("batches of several sales, more than fit into one, are counted completely and in order", async () => {
  const sales = Array.from({ length: 6 }, (_, n) => `${bed.saleId}-${n}` as never);
  const sends: Promise<unknown>[] = [];
  for (let n = 0; n < 2_400; n++) sends.push(queue.publish(results, ended(n, { saleId: sales[(n * n) % 6] as never })));
  await Promise.all(sends);
  await start();
  const expected = sales.map(
    (_, index) => Array.from({ length: 2_400 }, (_x, n) => (n * n) % 6).filter((s) => s === index).length,
  );
  await vi.waitFor(async () => {
    expect(await Promise.all(sales.map(async (sale) => (await totals(sale)).requests))).toEqual(expected);
  }, within);
});

test("a stale member and its successor, both in mid-transaction with the same messages, count them once", async () => {
  const members = await start(await bed.process());
  await queue.publish(results, ended(0));
  await requestsAre(1);
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const blocked = bed.db.$transaction(
    async (transaction) => {
      await transaction.$executeRaw`SELECT 1 FROM consumer_offsets FOR UPDATE`;
      await released;
    },
    { timeout: 20_000 },
  );
  const waiting = async (): Promise<number> => {
    const rows = await bed.db.$queryRaw<[{ count: bigint }]>`
      SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    return Number(rows[0].count);
  };
  for (let n = 1; n <= 50; n++) await queue.publish(results, ended(n));
  await vi.waitFor(async () => expect(await waiting()).toBe(1), within);
  for (const member of members) member.kill();
  await start();
  await vi.waitFor(async () => expect(await waiting()).toBe(2), within);
  release();
  await blocked;
  await queue.publish(results, ended(51));
  await requestsAre(52);
  expect((await totals()).won).toBe(52);
});

test("while the database is down nothing is lost, and nothing spends an attempt", async () => {
  const members = await start();
  // Taken over, which needs the database: without it nothing would be tried at all.
  await queue.publish(results, ended(0));
  await requestsAre(1);
  await bed.databaseDown();
  for (let n = 1; n < 10; n++) await queue.publish(results, ended(n));
  await vi.waitFor(() => expect(members[0]?.statistics().batches).toBeGreaterThanOrEqual(3), within);
  await bed.databaseBack();
  await requestsAre(10);
  expect(members[0]?.statistics()).toMatchObject({ retried: 0, deadLettered: 0 });
});
