import type { FaultStore } from "@plateau/domain";
import {
  allTopics,
  defaultKnobs,
  groups,
  type Knobs,
  openFaults,
  purchaseRequests,
  stockCommands,
} from "@plateau/domain";
import { createMemoryEngine, openQueue, type Queue, type Topic } from "queue-core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startWorker, type Worker } from "./start-worker.ts";

const log = { warn: () => undefined } as never;
const harmless = { score: async () => new Map() };
const patience = { timeout: 15_000, interval: 20 };
let queue: Queue;
let faults: FaultStore;
let worker: Worker | undefined;
let knobs: Knobs;

beforeEach(async () => {
  const engine = createMemoryEngine({});
  queue = await openQueue({ engine, topics: allTopics as unknown as Topic<unknown>[], leaseMs: 300 });
  faults = await openFaults({ engine });
  knobs = { ...defaultKnobs };
});
afterEach(async () => {
  await worker?.stop();
  await faults.stop();
  await queue.stop();
});

async function start(): Promise<void> {
  worker = await startWorker({ queue, scorer: harmless, knobs: () => knobs, members: "by knob", faults, log });
}

async function owners(): Promise<readonly string[]> {
  const partitions = await queue.groupStatistics(groups.risk, purchaseRequests as Topic<never>);
  return [...new Set(partitions.flatMap(({ owner }) => owner ?? []))];
}

/** Who really holds the partitions. */
async function holders(): Promise<readonly string[]> {
  const leases = await queue.engine.leases(groups.risk, purchaseRequests.name);
  return leases.flatMap(({ member, expiresAtMs }) =>
    member !== undefined && expiresAtMs > queue.now() ? [member] : [],
  );
}

test("the number of workers follows the knob, and partitions move with it", async () => {
  await start();
  expect(await owners()).toHaveLength(1);
  knobs = { ...knobs, workers: 4 };
  await vi.waitFor(async () => expect(new Set(await holders()).size).toBe(4), patience);
  knobs = { ...knobs, workers: 2 };
  await vi.waitFor(async () => expect(new Set(await holders()).size).toBe(2), patience);
  expect(worker?.members).toHaveLength(4);
  expect(await holders()).toHaveLength(purchaseRequests.partitions);
});

test("a killed worker keeps its leases until they run out, another takes over, and a replacement comes", async () => {
  knobs = { ...knobs, workers: 2 };
  await start();
  await vi.waitFor(async () => expect(new Set(await holders()).size).toBe(2), patience);
  const [victim = ""] = await owners();
  await faults.begin("kill-worker", { seconds: 60 }, "a test", victim);
  await vi.waitFor(() => expect(worker?.members).toHaveLength(2), patience);
  await vi.waitFor(async () => {
    const left = await holders();
    expect(left).toHaveLength(purchaseRequests.partitions);
    expect(left.some((member) => member.startsWith(`${victim}#`))).toBe(false);
  }, patience);
  await vi.waitFor(async () => expect(await faults.hits("kill-worker")).toBe(1), patience);
  await faults.end("kill-worker");
  await vi.waitFor(() => expect(worker?.members).toHaveLength(4), patience);
});

test("an order for a worker of another process, or from before the start, kills nobody here", async () => {
  await faults.begin("kill-worker", { seconds: 60 }, "a test", "worker-old-1");
  await start();
  await faults.begin("kill-worker", { seconds: 60 }, "a test", "worker-elsewhere-1");
  knobs = { ...knobs, workers: 2 };
  await vi.waitFor(() => expect(worker?.members).toHaveLength(4), patience);
  expect(await faults.hits("kill-worker")).toBe(0);
});

test("a deciding stage takes no more at once than the knob says", async () => {
  knobs = { ...knobs, batchMax: 3 };
  const key = "s_1";
  for (let n = 0; n < 10; n++) await queue.publish(stockCommands, { type: "close-sale", saleId: key as never });
  await start();
  await vi.waitFor(async () => {
    const lags = await queue.groupStatistics(groups.stock, stockCommands as Topic<never>);
    expect(lags.reduce((sum, { lagMessages }) => sum + lagMessages, 0)).toBe(0);
  }, patience);
  const stock = worker?.members.find(({ group }) => group === groups.stock)?.statistics();
  expect([stock?.handled, stock?.batches]).toEqual([10, 4]);
});
