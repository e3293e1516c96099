import { expect, it } from "vitest";
import { dead, defineTopic, delayNamespace, done, QueueError, retry } from "../src/index.ts";
import { leftOpen, onEveryEngine, withOverrides } from "./queue-bed.ts";

interface Job {
  readonly key: string;
  readonly n: number;
}

const jobs = defineTopic<Job>({ name: "jobs", partitions: 1, keyOf: (job) => job.key });

onEveryEngine("dead letters", (bed) => {
  it("are told of as they come, with group, place and reason", async () => {
    const queue = await bed().queue([jobs]);
    await queue.consume<Job>({ group: "g", topic: jobs, handle: async () => dead("no such account") });
    await queue.process<Job>({
      group: "decider",
      topic: jobs,
      keys: () => [],
      decide: () => {
        throw new Error("no rule");
      },
    });
    await queue.publish(jobs, { key: "a", n: 1 });
    await bed().eventually(async () => bed().faults.length === 2);
    expect(bed().faults).toEqual(
      expect.arrayContaining([
        { where: "dead letter of group g from jobs/0 at offset 0", error: "no such account" },
        { where: "dead letter of group decider from jobs/0 at offset 0", error: "no rule" },
      ]),
    );
  });

  it("are redriven to the group they belong to, and to no other, once", async () => {
    const queue = await bed().queue([jobs]);
    const seen: string[] = [];
    let isBroken = true;
    await queue.consume<Job>({
      group: "broken",
      topic: jobs,
      handle: async ([message]) => {
        seen.push(`broken ${message?.value.n}`);
        return isBroken ? dead("broken") : done;
      },
    });
    await queue.consume<Job>({
      group: "fine",
      topic: jobs,
      handle: async ([message]) => {
        seen.push(`fine ${message?.value.n}`);
        return done;
      },
    });
    await queue.publish(jobs, { key: "a", n: 1 }, { ext: { trace: "t" } });
    await bed().eventually(async () => (await queue.deadLetters("broken", jobs, 10)).length === 1);
    isBroken = false;
    const redriven = await Promise.all([queue.redrive("broken", jobs), queue.redrive("broken", jobs)]);
    expect(redriven[0] + redriven[1]).toBe(1);
    await bed().eventually(async () =>
      (await Promise.all(["broken", "fine"].map((group) => queue.groupStatistics(group, jobs)))).every(
        ([partition]) => partition?.committed === 2,
      ),
    );
    expect(seen.sort()).toEqual(["broken 1", "broken 1", "fine 1"]);
    expect(await queue.deadLetters("broken", jobs, 10)).toEqual([]);
    expect((await queue.browse(jobs, 0, 1, 1))[0]?.headers.ext).toMatchObject({ trace: "t" });
  });

  it("of half messages nobody had read reach every group when they are redriven and answered for", async () => {
    const queue = await bed().queue([jobs]);
    const seen: string[] = [];
    for (const group of ["one", "two"]) {
      await queue.consume<Job>({
        group,
        topic: jobs,
        handle: async ([message]) => {
          seen.push(`${group} ${message?.value.n}`);
          return done;
        },
      });
    }
    let answer: "unknown" | "commit" = "unknown";
    const checkBack = async () => answer;
    const sender = await queue.transactional<Job>({ group: "s", topic: jobs, checkBack, maxChecks: 1 });
    await sender.publish([{ key: "a", n: 7 }], async () => "unknown");
    await bed().eventually(async () => (await queue.deadLetters("s", jobs, 10)).length === 1);
    answer = "commit";
    expect(await queue.redrive("s", jobs)).toBe(1);
    await bed().eventually(() => seen.length === 2);
    expect(seen.sort()).toEqual(["one 7", "two 7"]);
  });

  it("keep a delayed message that can never be moved, with the reason, and hold up no other", async () => {
    const queue = await bed().queue([jobs]);
    const damaged = { namespace: delayNamespace("jobs", 0), key: "000000000000001-x", value: Buffer.from("?") };
    await bed().engine.commit({ put: [damaged] });
    await queue.publish(jobs, { key: "a", n: 1 }, { delayMs: 1_000 });
    await bed().eventually(async () => (await queue.browse(jobs, 0, 0, 10)).length === 1);
    const [letter, ...more] = await queue.deadLetters("$delay", jobs, 10);
    expect(more).toEqual([]);
    expect(letter).toMatchObject({ bytes: Buffer.from("?"), message: { key: "", offset: -1, value: undefined } });
    expect(letter?.reason).toContain("cannot be moved when due: CORRUPT");
  });

  it("fit whatever their reason, headers and errors are, with all their bytes, and hold up no other message", async () => {
    const queue = await bed().queue([jobs]);
    // Each of these takes six bytes in JSON.
    const controls = (count: number) => "\u0001".repeat(count);
    const large = { key: controls(4_000), n: 1, text: "x".repeat(480_000) };
    await queue.publish(jobs, large, { ext: { trace: controls(60_000) } });
    for (let n = 2; n < 20; n++) await queue.publish(jobs, { key: `k${n}`, n });
    await queue.consume<Job>({
      group: "g",
      topic: jobs,
      maxAttempts: 40,
      handle: async ([message]) => {
        if (message?.value.n !== 1) return done;
        if (message.attempt === 40) return dead(controls(200_000));
        return retry({ afterMs: 1, error: new Error(`${message.attempt}${controls(200_000)}`) });
      },
    });
    await bed().eventually(() => bed().faults.length === 1);
    await bed().eventually(async () => (await queue.groupStatistics("g", jobs))[0]?.committed === 19);
    const [letter] = await queue.deadLetters("g", jobs, 10);
    expect(letter?.message.value).toEqual(large);
    expect(letter?.message.headers.ext?.trace).toHaveLength(60_000);
    expect(letter?.reason).toBe(controls(1_000));
    // The newest errors that fit.
    expect(letter?.history.at(-2)?.error).toBe(`39${controls(998)}`);
  });

  it("are redriven although their headers are as long as headers may be, and hold up no other", async () => {
    const queue = await bed().queue([jobs]);
    await queue.publish(jobs, { key: "a", n: 1 }, { ext: { t: "x".repeat(64 * 1024 - 1) } });
    await queue.publish(jobs, { key: "b", n: 2 });
    await queue.consume<Job>({
      group: "g",
      topic: jobs,
      handle: async ([message]) => ((message?.offset ?? 0) < 2 ? dead("not now") : done),
    });
    await bed().eventually(async () => (await queue.deadLetters("g", jobs, 10)).length === 2);
    expect(await queue.redrive("g", jobs)).toBe(2);
    await bed().eventually(async () => (await queue.groupStatistics("g", jobs))[0]?.committed === 4);
  });

  it("of messages too large to be kept beside their place name that place, and are left there by a redrive", async () => {
    const queue = await bed().queue([jobs]);
    const value = Buffer.from(JSON.stringify({ key: "a", n: 1, text: "x".repeat(1_048_000) }));
    await bed().engine.commit({ append: [{ topic: "jobs", partition: 0, key: "a", value }] });
    await queue.publish(jobs, { key: "b", n: 2 });
    await queue.consume<Job>({ group: "g", topic: jobs, handle: async () => dead("no".repeat(500)) });
    await queue.process<Job>({
      group: "p",
      topic: jobs,
      keys: () => [],
      decide: () => {
        throw new Error("no".repeat(500));
      },
    });
    for (const group of ["g", "p"]) {
      await bed().eventually(async () => ((await queue.groupStatistics(group, jobs))[0]?.committed ?? 0) >= 2);
      const [letter] = await queue.deadLetters(group, jobs, 10);
      expect(letter?.reason).toContain(`its ${value.length} bytes are left in jobs/0 at offset 0`);
      expect(letter?.bytes).toHaveLength(0);
      expect(await queue.redrive(group, jobs)).toBe(1);
      expect((await queue.deadLetters(group, jobs, 10)).map(({ message }) => message.offset)).toContain(0);
    }
  });

  it("are stored a bounded number at a time, each before the offset passes its message", async () => {
    const most = { letters: 0 };
    const engine = withOverrides(leftOpen(bed().engine), {
      commit: (commit) => {
        if (commit.fence !== undefined) most.letters = Math.max(most.letters, commit.put?.length ?? 0);
        return bed().engine.commit(commit);
      },
    });
    const queue = await bed().queue([jobs], { engine });
    for (let n = 0; n < 300; n++) await queue.publish(jobs, { key: `k${n}`, n });
    await queue.consume<Job>({ group: "g", topic: jobs, maxBatch: 300, handle: async () => dead("all of them") });
    await bed().eventually(async () => (await queue.groupStatistics("g", jobs))[0]?.committed === 300);
    expect(await queue.deadLetters("g", jobs, 1_000)).toHaveLength(300);
    expect(most.letters).toBeLessThanOrEqual(64);
  });

  it("that storage refuses for good are stored without their bytes, rather than holding up the partition", async () => {
    const engine = withOverrides(leftOpen(bed().engine), {
      commit: (commit) =>
        commit.put?.some(({ value }) => (value?.length ?? 0) > 10_000) === true
          ? Promise.reject(new QueueError("MESSAGE_TOO_LARGE"))
          : bed().engine.commit(commit),
    });
    const queue = await bed().queue([jobs], { engine });
    await bed().engine.commit({
      append: [{ topic: "jobs", partition: 0, key: "a", value: Buffer.from(JSON.stringify("x".repeat(20_000))) }],
    });
    await queue.publish(jobs, { key: "b", n: 2 });
    await queue.consume<Job>({ group: "g", topic: jobs, handle: async () => dead("as told") });
    await bed().eventually(async () => (await queue.groupStatistics("g", jobs))[0]?.committed === 2);
    const letters = await queue.deadLetters("g", jobs, 10);
    expect(letters.map(({ reason }) => reason)).toEqual([
      expect.stringContaining("are left in jobs/0 at offset 0"),
      expect.stringContaining("as told"),
    ]);
  });
});
