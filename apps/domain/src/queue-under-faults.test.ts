import {
  createMemoryEngine,
  type DecideContext,
  defineTopic,
  done,
  type ManualClock,
  manualClock,
  openQueue,
  type Queue,
  type Topic,
} from "queue-core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type FaultStore, openFaults } from "./faults.ts";
import { queueUnderFaults } from "./queue-under-faults.ts";

const topic = defineTopic<{ readonly n: number }>({ name: "notes", partitions: 1, keyOf: ({ n }) => String(n) });
let queue: Queue;
let faults: FaultStore;
let clock: ManualClock;
let seen: number[] = [];

beforeEach(async () => {
  clock = manualClock(Date.UTC(2030, 0, 1));
  const engine = createMemoryEngine({ clock });
  queue = await openQueue({ engine, topics: [topic as Topic<never>] });
  faults = await openFaults({ engine });
  seen = [];
});
afterEach(async () => {
  await faults.stop();
  await queue.stop();
});

const consume = (group: string) =>
  queueUnderFaults(queue, faults).consume({
    group,
    topic,
    handle: async (batch) => {
      seen.push(...batch.map(({ value }) => value.n));
      return done;
    },
  });

const isThrough = (group: string, to: number) =>
  vi.waitFor(async () => {
    expect((await queue.groupStatistics(group, topic as Topic<never>))[0]?.committed).toBe(to);
  }, 10_000);

test("a message is handed to the group twice, and acknowledged once", async () => {
  await faults.begin("deliver-twice", { seconds: 20, group: "order", every: 2 }, "a test");
  await consume("order");
  for (let n = 0; n < 4; n++) await queue.publish(topic, { n });
  await isThrough("order", 4);
  expect(seen.toSorted()).toEqual([0, 0, 1, 2, 2, 3]);
  await vi.waitFor(async () => expect(await faults.hits("deliver-twice")).toBe(2), 10_000);
  clock.advance(20_000);
  await queue.publish(topic, { n: 4 });
  await isThrough("order", 5);
  expect(seen.filter((n) => n === 4)).toEqual([4]);
});

test("a paused group takes nothing, others go on, and it goes on when the pause is over", async () => {
  await faults.begin("pause-group", { seconds: 15, group: "sms" }, "a test");
  await consume("sms");
  await queue.publish(topic, { n: 1 });
  await vi.waitFor(async () => expect(await faults.hits("pause-group")).toBeGreaterThan(0), 10_000);
  expect(seen).toEqual([]);
  await consume("order");
  await isThrough("order", 1);
  expect(seen).toEqual([1]);
  await faults.end("pause-group");
  await isThrough("sms", 1);
  expect(seen).toEqual([1, 1]);
});

test("a deciding group that is paused decides nothing, and can still be stopped", async () => {
  await faults.begin("pause-group", { seconds: 15, group: "stock" }, "a test");
  const process = () =>
    queueUnderFaults(queue, faults).process<{ readonly n: number }>({
      group: "stock",
      topic,
      keys: () => [],
      decide: ({ value }, _state, _context: DecideContext<undefined>) => {
        seen.push(value.n);
        return {};
      },
    });
  const member = await process();
  await queue.publish(topic, { n: 7 });
  await vi.waitFor(async () => expect(await faults.hits("pause-group")).toBeGreaterThan(0), 10_000);
  await member.stop({ graceMs: 10 });
  expect(seen).toEqual([]);
  await faults.end("pause-group");
  await process();
  await isThrough("stock", 1);
  expect(seen).toEqual([7]);
});

test("an order ends by the clock of the engine, in every process, and outlives whoever gave it", async () => {
  await faults.begin("slow-database", { seconds: 2, delayMs: 5 }, "a test");
  const elsewhere = await openFaults({ engine: queue.engine });
  expect(elsewhere.active("slow-database")?.order.delayMs).toBe(5);
  await faults.stop();
  clock.advance(1_999);
  expect(elsewhere.active("slow-database")).toBeDefined();
  clock.advance(1);
  expect(elsewhere.active("slow-database")).toBeUndefined();
  expect(elsewhere.last("slow-database")).toMatchObject({ by: "a test", number: 1 });
  await elsewhere.stop();
});

test("an order that does not fit is passed over", async () => {
  const { openSharedValue } = await import("queue-core");
  const foreign = await openSharedValue<unknown>({
    engine: queue.engine,
    name: "faults",
    initial: {},
    decode: (v) => v,
  });
  const order = { number: 1, startedAtMs: 0, untilMs: 9e15, by: "another version" };
  await foreign.change(() => ({
    "kill-worker": { ...order, order: { seconds: 8 } },
    "pause-group": { ...order, order: { seconds: 8, group: "moon" } },
    "melt-down": { ...order, order: {} },
  }));
  const fresh = await openFaults({ engine: queue.engine });
  expect(fresh.active("kill-worker")).toBeDefined();
  expect(fresh.last("pause-group")).toBeUndefined();
  foreign.stop();
  await fresh.stop();
});
