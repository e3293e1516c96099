/** When work is tried again, and when it is spared, to the ms: under timers that only the test moves. */
import { expect, it } from "vitest";
import { defineTopic, done, type Message, type Outcome, pause, type QueueOptions, retry } from "../src/index.ts";
import { onEveryEngine } from "./queue-bed.ts";

interface Job {
  readonly key: string;
  readonly n: number;
}

const jobs = defineTopic<Job>({ name: "jobs", partitions: 1, keyOf: (job) => job.key });

onEveryEngine("retry, backoff and deadlines", (bed) => {
  /** A queue whose member notes when it was given each message, and answers as told. */
  const answering = async (answer: (message: Message<Job>) => Outcome, options: Partial<QueueOptions> = {}) => {
    const queue = await bed().queue([jobs], options);
    const given: { readonly n: number; readonly attempt: number; readonly atMs: number }[] = [];
    const member = await queue.consume<Job>({
      group: "g",
      topic: jobs,
      maxAttempts: 12,
      handle: async ([message]) => {
        const { value, attempt } = message as Message<Job>;
        given.push({ n: value.n, attempt, atMs: queue.now() });
        return answer(message as Message<Job>);
      },
    });
    return { queue, given, member };
  };
  const waits = (given: readonly { readonly atMs: number }[]) =>
    given.slice(1).map(({ atMs }, index) => atMs - (given[index]?.atMs ?? 0));
  /** Moves time on in small steps, so that what fires is seen when it is due. */
  const passMs = async (ms: number, stepMs: number, until: () => boolean) => {
    for (let passedMs = 0; passedMs < ms && !until(); passedMs += stepMs) {
      bed().timers.advance(stepMs);
      await bed().settle();
    }
  };

  it.each([
    ["half of it without luck", 0, [50, 100, 200, 400]],
    ["all of it at most", 0.999, [100, 200, 400, 800]],
  ])("doubles the wait from 100 ms on, %s", async (_, chance, expected) => {
    const { queue, given } = await answering(() => retry(), { random: () => chance });
    await queue.publish(jobs, { key: "a", n: 1 });
    await bed().settle();
    await passMs(2_000, 10, () => given.length === 5);
    expect(waits(given)).toEqual(expected);
  });

  it("waits 30 s at most, and pauses 10 s at most", async () => {
    let isDown = false;
    const { queue, given } = await answering(() => (isDown ? pause() : retry()), { random: () => 0.999 });
    await queue.publish(jobs, { key: "a", n: 1 });
    await bed().eventually(() => given.length === 11);
    expect(Math.max(...waits(given))).toBeLessThanOrEqual(30_000 + 10);
    isDown = true;
    const before = given.length;
    await bed().eventually(() => given.length === before + 9);
    const paused = waits(given.slice(before));
    expect(Math.max(...paused)).toBeLessThanOrEqual(10_000 + 10);
    expect(paused.at(-1)).toBeGreaterThanOrEqual(9_000);
    expect(new Set(given.slice(before).map(({ attempt }) => attempt)).size).toBe(1);
  });

  it("differs from message to message by chance, so that what failed together does not come back together", async () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const { queue, given } = await answering(({ attempt }) => (attempt === 1 ? retry() : done), { random });
    for (let n = 0; n < 20; n++) await queue.publish(jobs, { key: `k${n}`, n });
    await bed().settle();
    await passMs(101, 1, () => given.length === 40);
    expect(given).toHaveLength(40);
    expect(new Set(given.slice(20).map(({ atMs }) => atMs)).size).toBeGreaterThan(8);
  });

  it.each([
    ["windowMessages", { windowMessages: 8 }, 7],
    // Each message has 1,000 bytes.
    ["windowBytes", { windowBytes: 9_500 }, 9],
  ])(
    "lets others go on behind a retry as far as %s goes, and reads no further before it is through",
    async (_, bound, others) => {
      const queue = await bed().queue([jobs]);
      const text = "x".repeat(970);
      for (let n = 10; n < 40; n++) await queue.publish(jobs, { key: `k${n}`, n, text } as Job);
      expect((await bed().engine.read("jobs", 0, 0, { maxMessages: 1 }))[0]?.value.length).toBe(1_000);
      const seen: number[] = [];
      await queue.consume<Job>({
        group: "g",
        topic: jobs,
        ...bound,
        handle: async ([message]) => {
          const { value, attempt } = message as Message<Job>;
          if (value.n === 10 && attempt === 1) return retry({ afterMs: 50_000 });
          seen.push(value.n);
          return done;
        },
      });
      await bed().eventually(() => seen.length >= others);
      await bed().settle();
      expect(seen).toEqual(Array.from({ length: others }, (_, index) => 11 + index));
      await bed().eventually(() => seen.length === 30);
      expect(seen[others]).toBe(10);
    },
  );

  it("spares a retry whose deadline passed while it waited", async () => {
    const { queue, given, member } = await answering(() => retry({ afterMs: 5_000 }));
    await queue.publish(jobs, { key: "a", n: 1 }, { deadlineMs: queue.now() + 7_000 });
    await bed().eventually(async () => (await queue.groupStatistics("g", jobs))[0]?.committed === 1);
    expect(given.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(member.statistics()).toMatchObject({ expired: 1, deadLettered: 0 });
  });

  it("spares a delayed message whose deadline is over when it comes due, and hands it to a stage that records it", async () => {
    const { queue, given, member } = await answering(() => done);
    const recorded: boolean[] = [];
    await queue.process<Job>({
      group: "recorder",
      topic: jobs,
      keys: () => [],
      decide: ({ headers }, _, { nowMs }) => {
        recorded.push((headers.deadlineMs ?? Number.POSITIVE_INFINITY) <= nowMs);
        return {};
      },
    });
    await queue.publish(jobs, { key: "a", n: 1 }, { delayMs: 3_000, deadlineMs: queue.now() + 1_000 });
    await bed().eventually(() => recorded.length === 1 && member.statistics().expired === 1);
    expect([given, recorded]).toEqual([[], [true]]);
  });
});
