/** Numbers that make no sense are refused with INVALID_ARGUMENT where they are given, and change nothing. */
import { expect, it } from "vitest";
import { createSharedTokenBucket, createTokenBucket, defineTopic, done, emit, openQueue } from "../src/index.ts";
import { leftOpen, onEveryEngine, withOverrides } from "./queue-bed.ts";

const jobs = defineTopic<string>({ name: "jobs", partitions: 1, keyOf: (job) => job });
const refused = { code: "INVALID_ARGUMENT" };
const noNumbers = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

onEveryEngine("numbers that make no sense", (bed) => {
  const end = async () => (await bed().engine.range("jobs", 0)).end;

  it("are refused by publish as delay, deadline or expiry, and nothing is stored", async () => {
    const queue = await bed().queue([jobs]);
    for (const bad of noNumbers) {
      const claim = { namespace: "n", key: "k", value: Buffer.from("v"), expiresAtMs: bad };
      for (const options of [{ delayMs: bad }, { deadlineMs: bad }, { claim }, { delayMs: 9, deadlineMs: bad }]) {
        await expect(queue.publish(jobs, "a", options)).rejects.toMatchObject(refused);
      }
    }
    // Its digits do not fit in the key that orders what is delayed.
    await expect(queue.publish(jobs, "a", { delayMs: 1e300 })).rejects.toMatchObject(refused);
    bed().timers.advance(1_000);
    await bed().settle();
    expect(await end()).toBe(0);
    // What was to come at a time that has passed comes at once.
    await queue.publish(jobs, "a", { delayMs: -5 });
    expect(await end()).toBe(1);
  });

  it("are refused by a decision as delay or expiry: its message goes to the dead letters", async () => {
    const queue = await bed().queue([jobs]);
    await queue.process<string>({
      group: "g",
      topic: jobs,
      keys: () => [],
      decide: ({ value }) =>
        value === "delay"
          ? { emit: [emit(jobs, "later", { delayMs: Number.POSITIVE_INFINITY })] }
          : { writes: [{ key: "k", value: 1, expiresAfterMs: Number.NaN }] },
    });
    await queue.publish(jobs, "delay");
    await queue.publish(jobs, "expiry");
    await bed().eventually(async () => (await queue.deadLetters("g", jobs, 10)).length === 2);
    expect(await end()).toBe(2);
  });

  it("are refused by a requester as timeout: nothing is published, and nothing waits", async () => {
    const queue = await bed().queue([jobs]);
    const requester = await queue.requester();
    const { pending } = bed().timers;
    for (const timeoutMs of noNumbers) {
      const { published, reply } = requester.send(jobs, "a", { timeoutMs });
      await expect(published).rejects.toMatchObject(refused);
      await expect(reply).rejects.toMatchObject(refused);
    }
    expect([await end(), requester.statistics().waiting, bed().timers.pending]).toEqual([0, 0, pending]);
  });

  it("are refused as settings of a queue and of a member", async () => {
    const queue = await bed().queue([jobs]);
    const handle = async () => done;
    const decide = () => ({});
    const gather = async () => undefined;
    const checkBack = async () => "unknown" as const;
    for (const bad of noNumbers) {
      const options = { engine: leftOpen(bed().engine), topics: [jobs], leaseMs: bad };
      await expect(openQueue(options)).rejects.toMatchObject(refused);
      for (const settings of [{ lingerMs: bad }, { lingerMaxMs: bad }, { leaseMs: bad }, { maxBatch: bad }]) {
        await expect(queue.consume({ group: "g", topic: jobs, handle, ...settings })).rejects.toMatchObject(refused);
      }
      const stage = { group: "p", topic: jobs, keys: () => [], decide, prepare: { budgetMs: bad, gather } };
      await expect(queue.process(stage)).rejects.toMatchObject(refused);
      for (const settings of [{ checkAfterMs: bad }, { checkEveryMs: bad }]) {
        const sender = { group: "s", topic: jobs, checkBack, ...settings };
        await expect(queue.transactional(sender)).rejects.toMatchObject(refused);
      }
      const member = await queue.consume({ group: "g", topic: jobs, handle });
      await expect(member.stop({ graceMs: bad })).rejects.toMatchObject(refused);
      await member.stop();
    }
  });

  it("neither make tokens nor use them up", async () => {
    const options = { ratePerSecond: 1, burst: 10 };
    const own = createTokenBucket({ now: () => bed().engine.now(), ...options });
    const shared = await createSharedTokenBucket({
      engine: bed().engine,
      name: "b",
      timers: bed().timers,
      ...options,
    });
    for (const bad of [...noNumbers, -1_000]) {
      expect(() => own.take(bad)).toThrow("INVALID_ARGUMENT");
      expect(() => shared.take(bad)).toThrow("INVALID_ARGUMENT");
    }
    let taken = 0;
    while (taken < 100 && own.take().ok) taken++;
    expect(taken).toBe(10);
    // As if nobody had asked for more than one.
    await bed().eventually(() => shared.take().ok);
    expect(shared.statistics()).toMatchObject({ taken: 1 });
    await shared.stop();
  });

  it("in the topics of a queue that cannot be opened leave no engine open behind it", async () => {
    let closed = 0;
    const engine = withOverrides(bed().engine, {
      close: async () => {
        closed++;
      },
    });
    await bed().queue([jobs]);
    const split = defineTopic<string>({ name: "jobs", partitions: 2, keyOf: (job) => job });
    await expect(openQueue({ engine, topics: [split] })).rejects.toMatchObject(refused);
    await expect(openQueue({ engine, topics: [jobs, jobs] })).rejects.toMatchObject(refused);
    expect(closed).toBe(2);
  });
});
