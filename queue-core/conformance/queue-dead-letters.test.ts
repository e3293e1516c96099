import { expect, it } from "vitest";
import { dead, defineTopic, delayNamespace, done } from "../src/index.ts";
import { onEveryEngine } from "./queue-bed.ts";

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
});
