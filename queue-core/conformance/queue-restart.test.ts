/** What outlives the engine that it was stored in: on every engine that is durable. */
import { expect, it } from "vitest";
import { createSharedTokenBucket, dead, defineTopic, done, emit, type Message, type Queue } from "../src/index.ts";
import { onEveryDurableEngine } from "./queue-bed.ts";

interface Job {
  readonly key: string;
  readonly n: number;
}

const jobs = defineTopic<Job>({ name: "jobs", partitions: 2, keyOf: (job) => job.key });
const sums = defineTopic<Job>({ name: "sums", partitions: 1, keyOf: (job) => job.key });

onEveryDurableEngine("a restart", (bed) => {
  const open = () => bed().queue([jobs, sums]);
  const restarted = async () => {
    await bed().restart();
    return open();
  };
  /** A read may end where memory begins, so it is read to the end. */
  const messages = async (queue: Queue, topic = jobs) => {
    const found: Message<Job>[] = [];
    for (let partition = 0; partition < topic.partitions; partition++) {
      for (let offset = 0; ; ) {
        const read = await queue.browse(topic, partition, offset, 1_000);
        if (read.length === 0) break;
        found.push(...read);
        offset += read.length;
      }
    }
    return found;
  };
  const stored = async (queue: Queue, topic = jobs) => (await messages(queue, topic)).map(({ value }) => value.n);
  const handled = (queue: Queue, seen: number[]) =>
    queue.consume<Job>({
      group: "g",
      topic: jobs,
      handle: async ([message]) => {
        seen.push((message as Message<Job>).value.n);
        return done;
      },
    });

  it("keeps every acknowledged message in its order, and lets a group go on behind what it committed", async () => {
    const before = await open();
    const seen: number[] = [];
    await handled(before, seen);
    for (let n = 0; n < 5; n++) await before.publish(jobs, { key: "a", n });
    await bed().eventually(async () =>
      (await before.groupStatistics("g", jobs)).some(({ committed }) => committed === 5),
    );
    const after = await restarted();
    for (let n = 5; n < 8; n++) await after.publish(jobs, { key: "a", n });
    await handled(after, seen);
    await bed().eventually(() => seen.length === 8);
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(await stored(after)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("recognises a repeat of a send from before it, for as long as the window lasts", async () => {
    await (await open()).publish(jobs, { key: "a", n: 1 }, { id: "once" });
    const after = await restarted();
    expect((await after.publish(jobs, { key: "a", n: 1 }, { id: "once" })).duplicate).toBe(true);
    bed().timers.advance(600_001);
    const later = await restarted();
    expect((await later.publish(jobs, { key: "a", n: 1 }, { id: "once" })).duplicate).toBe(false);
    expect(await stored(later)).toEqual([1, 1]);
  });

  it("delivers what was delayed when it comes due, once, also when it came due meanwhile", async () => {
    const before = await open();
    await before.publish(jobs, { key: "a", n: 1 }, { delayMs: 1_000 });
    await before.publish(jobs, { key: "a", n: 2 }, { delayMs: 60_000, id: "same" });
    await bed().restart();
    bed().timers.advance(2_000);
    const after = await open();
    await bed().eventually(async () => (await stored(after)).length === 1);
    expect((await after.publish(jobs, { key: "a", n: 2 }, { delayMs: 60_000, id: "same" })).duplicate).toBe(true);
    bed().timers.advance(60_000);
    await bed().eventually(async () => (await stored(after)).length === 2);
    const later = await restarted();
    bed().timers.advance(60_000);
    await bed().settle();
    expect(await stored(later)).toEqual([1, 2]);
  });

  it("asks for half messages that it left without an answer, and remembers those that were answered", async () => {
    const sender = async (queue: Queue, asked: number[]) =>
      queue.transactional<Job>({
        group: "senders",
        topic: jobs,
        checkBack: async ({ value }) => {
          asked.push(value.n);
          return value.n % 2 === 0 ? "commit" : "rollback";
        },
      });
    const asked: number[] = [];
    const before = await sender(await open(), asked);
    await before.publish([{ key: "a", n: 10 }], async () => "commit");
    await before.publish([{ key: "a", n: 11 }], async () => "rollback");
    await before.publish([{ key: "a", n: 20 }], async () => "unknown");
    await before.publish([{ key: "a", n: 21 }], async () => "unknown");
    const after = await restarted();
    expect(await stored(after)).toEqual([10]);
    await sender(after, asked);
    await bed().eventually(() => asked.length === 2);
    await bed().eventually(async () => (await stored(after)).length === 2);
    bed().timers.advance(100_000);
    await bed().settle();
    expect(await stored(after)).toEqual([10, 20]);
    expect(asked).toEqual([20, 21]);
  });

  it("keeps dead letters with their history until they are redriven", async () => {
    const before = await open();
    await before.consume<Job>({ group: "g", topic: jobs, handle: async () => dead("no such account") });
    await before.publish(jobs, { key: "a", n: 1 });
    await bed().eventually(async () => (await before.deadLetters("g", jobs, 10)).length === 1);
    const after = await restarted();
    const [letter] = await after.deadLetters("g", jobs, 10);
    expect(letter).toMatchObject({ reason: "no such account", message: { value: { n: 1 } } });
    expect(letter?.history).toHaveLength(1);
    const seen: number[] = [];
    await handled(after, seen);
    expect(await after.redrive("g", jobs)).toBe(1);
    await bed().eventually(() => seen.length === 1);
    const later = await restarted();
    expect(await later.deadLetters("g", jobs, 10)).toEqual([]);
  });

  it("leaves every decision made exactly once, whenever it comes", async () => {
    const decide = (queue: Queue) =>
      queue.process<Job>({
        group: "adder",
        topic: jobs,
        maxBatch: 3,
        keys: ({ key }) => [key],
        decide: ({ value: { key, n } }, state) => {
          const sum = (state.get<number>(key) ?? 0) + n;
          return { writes: [{ key, value: sum }], emit: [emit(sums, { key, n: sum })] };
        },
      });
    let queue = await open();
    for (let life = 0; life < 4; life++) {
      await decide(queue);
      await Promise.all(Array.from({ length: 20 }, (_, n) => queue.publish(jobs, { key: `k${n % 3}`, n: 1 })));
      queue = await restarted();
    }
    await decide(queue);
    await bed().eventually(async () => (await stored(queue, sums)).length >= 80);
    await bed().settle();
    const events = await messages(queue, sums);
    for (const key of ["k0", "k1", "k2"]) {
      const own = events.filter(({ value }) => value.key === key).map(({ value }) => value.n);
      expect(own).toEqual(own.map((_, index) => index + 1));
    }
    expect(events).toHaveLength(80);
  });

  it("gives no token of a shared bucket out twice", async () => {
    const rate = { name: "b", ratePerSecond: 10, burst: 20 };
    const open = () => createSharedTokenBucket({ engine: bed().engine, timers: bed().timers, ...rate });
    const drain = async () => {
      const bucket = await open();
      let taken = 0;
      for (let round = 0; round < 10; round++) {
        while (bucket.take().ok) taken++;
        bed().timers.advance(10);
        await bed().settle();
      }
      await bucket.stop();
      return taken;
    };
    const first = await drain();
    expect(first).toBeGreaterThanOrEqual(15);
    await bed().restart();
    expect(first + (await drain())).toBeLessThanOrEqual(20 + 10 * 0.2);
  });
});
