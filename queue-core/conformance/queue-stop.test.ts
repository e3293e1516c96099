/** A graceful stop: fetching ends, handlers finish or are aborted, progress is stored, leases go, nothing is left. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  type ConsumeOptions,
  createSharedTokenBucket,
  defineTopic,
  done,
  type Message,
  openLogEngine,
  openQueue,
  pause,
  retry,
} from "../src/index.ts";
import { gate, onEveryEngine, turn } from "./queue-bed.ts";

interface Job {
  readonly key: string;
  readonly n: number;
}

const jobs = defineTopic<Job>({ name: "jobs", partitions: 2, keyOf: (job) => job.key });

onEveryEngine("a graceful stop", (bed) => {
  const open = () => bed().queue([jobs]);
  const publish = async (queue: Awaited<ReturnType<typeof open>>, count: number) => {
    for (let n = 0; n < count; n++) await queue.publish(jobs, { key: "a", n });
  };
  const committed = async (queue: Awaited<ReturnType<typeof open>>) =>
    (await queue.groupStatistics("g", jobs)).reduce((sum, partition) => sum + partition.committed, 0);

  it("fetches nothing more, lets handlers finish, stores what they did, and hands its partitions on at once", async () => {
    const queue = await open();
    const other = await open();
    await publish(queue, 6);
    const held = gate();
    const seen: string[] = [];
    const member = await queue.consume<Job>({
      group: "g",
      topic: jobs,
      maxBatch: 2,
      handle: async (batch) => {
        seen.push(...batch.map(({ value }) => `first ${value.n}`));
        await held.promise;
        return done;
      },
    });
    await bed().eventually(() => seen.length === 2);
    const stopping = queue.stop();
    await publish(other, 1);
    await bed().settle();
    expect(seen).toEqual(["first 0", "first 1"]);
    held.open();
    await stopping;
    expect(seen).toHaveLength(2);
    expect(await committed(other)).toBe(2);
    expect(member.statistics().partitions).toEqual([]);
    const before = other.now();
    const heir = await other.consume<Job>({
      group: "g",
      topic: jobs,
      handle: async ([message]) => {
        seen.push(`heir ${(message as Message<Job>).value.n}`);
        return done;
      },
    });
    expect(heir.statistics().partitions).toEqual([0, 1]);
    expect(other.now()).toBe(before);
    await bed().eventually(() => seen.length === 7);
    expect(seen.slice(2)).toEqual(["heir 2", "heir 3", "heir 4", "heir 5", "heir 0"]);
  });

  it("aborts what outlasts the grace, ignores its outcome, and never waits longer", async () => {
    const queue = await open();
    await publish(queue, 2);
    const never = gate();
    let isAborted = false;
    const member = await queue.consume<Job>({
      group: "g",
      topic: jobs,
      handle: async (_, signal) => {
        signal.addEventListener("abort", () => {
          isAborted = true;
        });
        await never.promise;
        return done;
      },
    });
    await bed().settle();
    let isStopped = false;
    const before = queue.now();
    const stopping = member.stop({ graceMs: 2_000 }).then(() => {
      isStopped = true;
    });
    await bed().eventually(() => isStopped);
    await stopping;
    const passedMs = queue.now() - before;
    expect(isAborted).toBe(true);
    expect(passedMs).toBeGreaterThanOrEqual(2_000);
    expect(passedMs).toBeLessThan(2_500);
    never.open();
    await bed().settle();
    expect(await committed(queue)).toBe(0);
  });

  it("keeps to its grace also for a partition that was being handed over with a longer one", async () => {
    const queue = await open();
    await publish(queue, 2);
    const never = gate();
    const start = (member: string) =>
      queue.consume<Job>({
        group: "g",
        topic: jobs,
        member,
        handle: async () => {
          await never.promise;
          return done;
        },
      });
    const first = await start("a");
    await bed().settle();
    const { partition } = await queue.publish(jobs, { key: "a", n: 9 });
    // A member whose name makes the partition with the work in it fall to that one.
    await start(partition === 0 ? "0" : "z");
    await bed().settle();
    expect(first.statistics().partitions).toContain(partition);
    let isStopped = false;
    const before = queue.now();
    const stopping = first.stop({ graceMs: 300 }).then(() => {
      isStopped = true;
    });
    await bed().eventually(() => isStopped);
    await stopping;
    expect(queue.now() - before).toBeLessThan(1_000);
    never.open();
  });

  it("waits for a startOffset that never answers no longer than the grace", async () => {
    const queue = await open();
    const asked: number[] = [];
    const member = await queue.consume<Job>({
      group: "g",
      topic: jobs,
      startOffset: (partition) => {
        asked.push(partition);
        return gate<number>().promise;
      },
      handle: async () => done,
    });
    await bed().eventually(() => asked.length === 2);
    const before = queue.now();
    let isStopped = false;
    const stopping = member.stop({ graceMs: 300 }).then(() => {
      isStopped = true;
    });
    await bed().eventually(() => isStopped);
    await stopping;
    expect(queue.now() - before).toBeLessThan(1_000);
    await queue.stop();
    expect(bed().timers.pending).toBe(0);
    expect(bed().faults).toEqual([]);
  });

  it("gives up a batch whose facts outlast the grace whole: nothing is decided without them", async () => {
    const queue = await open();
    await publish(queue, 2);
    const [facts, decided] = [gate<string>(), [] as unknown[]];
    const start = () =>
      queue.process<Job, string>({
        group: "g",
        topic: jobs,
        keys: () => [],
        prepare: { budgetMs: 30_000, gather: () => facts.promise },
        decide: (_, __, { facts: known }) => {
          decided.push(known);
          return {};
        },
      });
    const member = await start();
    await bed().settle();
    let isStopped = false;
    const stopping = member.stop({ graceMs: 300 }).then(() => {
      isStopped = true;
    });
    await bed().eventually(() => isStopped);
    await stopping;
    expect([decided, await committed(queue)]).toEqual([[], 0]);
    facts.open("known");
    await start();
    await bed().eventually(async () => (await committed(queue)) === 2);
    expect(decided).toEqual(["known", "known"]);
  });

  it("finishes the batch of a process stage, and gives up one whose pace outlasts the grace", async () => {
    const queue = await open();
    await publish(queue, 3);
    const [pacing, held] = [gate(), gate()];
    const decided: number[] = [];
    const stage = (pace: (batch: readonly Message<Job>[]) => Promise<number>) =>
      queue.process<Job>({
        group: "g",
        topic: jobs,
        keys: () => [],
        pace,
        decide: ({ value }) => {
          decided.push(value.n);
          return {};
        },
      });
    const finishes = await stage(async () => {
      await pacing.promise;
      return 2;
    });
    await bed().settle();
    const stopping = finishes.stop();
    pacing.open();
    await stopping;
    expect([decided, await committed(queue)]).toEqual([[0, 1], 2]);
    const hangs = await stage(async (batch) => {
      await held.promise;
      return batch.length;
    });
    await bed().settle();
    let isStopped = false;
    const hanging = hangs.stop({ graceMs: 300 }).then(() => {
      isStopped = true;
    });
    await bed().eventually(() => isStopped);
    await hanging;
    held.open();
    await bed().settle();
    expect([decided, await committed(queue)]).toEqual([[0, 1], 2]);
  });

  it("keeps its leases while handlers finish, however long that takes: no second member begins before", async () => {
    const queue = await open();
    await publish(queue, 2);
    const held = gate();
    const seen: string[] = [];
    const start = (member: string) =>
      queue.consume<Job>({
        group: "g",
        topic: jobs,
        member,
        handle: async ([message]) => {
          seen.push(`${member} ${message?.value.n}`);
          if (member === "slow") await held.promise;
          return done;
        },
      });
    const slow = await start("slow");
    await bed().eventually(() => seen.length === 1);
    const heir = await start("heir");
    let isStopped = false;
    const stopping = slow.stop({ graceMs: 60_000 }).then(() => {
      isStopped = true;
    });
    const before = queue.now();
    // Three leases go by.
    await bed().eventually(() => queue.now() - before > 9_000);
    expect([seen, isStopped]).toEqual([["slow 0"], false]);
    held.open();
    await stopping;
    await bed().eventually(() => heir.statistics().partitions.length === 2 && seen.length === 2);
    expect(seen).toEqual(["slow 0", "heir 1"]);
  });

  it.each([
    ["stopped", (queue: Awaited<ReturnType<typeof open>>) => queue.stop()],
    [
      "killed and stopped",
      async (queue: Awaited<ReturnType<typeof open>>, kill: () => void) => {
        kill();
        await queue.stop();
      },
    ],
  ])("leaves no timer of a waiting retry, a pause, a linger or a slow start once %s", async (_, end) => {
    const queue = await open();
    await publish(queue, 1);
    const outcomes = [retry({ afterMs: 50_000 }), pause({ afterMs: 50_000 })];
    const asked: string[] = [];
    const consume = (group: string, options: Partial<ConsumeOptions<Job>>) =>
      queue.consume<Job>({ group, topic: jobs, handle: async () => done, ...options });
    const members = [
      ...(await Promise.all(
        outcomes.map((outcome) =>
          consume(outcome.kind, {
            handle: async () => {
              asked.push(outcome.kind);
              return outcome;
            },
          }),
        ),
      )),
      await consume("linger", { maxBatch: 9, lingerMs: 50_000 }),
      await consume("own", { startOffset: () => gate<number>().promise }),
    ];
    await bed().eventually(() => asked.length === 2);
    await bed().settle();
    let isEnded = false;
    const ending = end(queue, () => {
      for (const member of members) member.kill();
    }).then(() => {
      isEnded = true;
    });
    await bed().eventually(() => isEnded);
    await ending;
    expect(bed().timers.pending).toBe(0);
  });

  it("rejects what still waits for an answer, with an outcome that is true", async () => {
    const queue = await open();
    const requester = await queue.requester();
    const { published, reply } = requester.send(jobs, { key: "a", n: 1 }, { timeoutMs: 50_000 });
    await published;
    const rejected = expect(reply).rejects.toMatchObject({ code: "CLOSED", outcome: "unknown" });
    await queue.stop();
    await rejected;
    expect(bed().timers.pending).toBe(0);
  });
});

it("a stopped queue on the log engine leaves no handle in its process: no timer, no thread, no open file", async () => {
  const folder = mkdtempSync(join(tmpdir(), "queue-core-"));
  const before = process.getActiveResourcesInfo();
  const engine = await openLogEngine({ directory: join(folder, "log") });
  const queue = await openQueue({ engine, topics: [jobs] });
  const bucket = await createSharedTokenBucket({ engine, name: "b", ratePerSecond: 100, burst: 100 });
  await queue.consume<Job>({ group: "g", topic: jobs, handle: async () => ({ kind: "retry" }) });
  await queue.process<Job>({ group: "p", topic: jobs, keys: () => [], decide: () => ({ reply: "done" }) });
  await queue.transactional<Job>({ group: "s", topic: jobs, checkBack: async () => "unknown" });
  const requester = await queue.requester();
  await queue.publish(jobs, { key: "a", n: 0 }, { delayMs: 60_000, id: "i" });
  expect(await requester.send<Job, string>(jobs, { key: "a", n: 1 }, { timeoutMs: 60_000 }).reply).toBe("done");
  expect(bucket.take()).toEqual({ ok: true });
  await bucket.stop();
  await queue.stop();
  rmSync(folder, { recursive: true });
  // What the test runner holds comes and goes; what there is more of than before is ours.
  const left = () => {
    const others = [...before];
    return process.getActiveResourcesInfo().filter((resource) => {
      const index = others.indexOf(resource);
      if (index >= 0) others.splice(index, 1);
      return index < 0;
    });
  };
  for (let turns = 0; turns < 10_000 && left().length > 0; turns++) await turn();
  expect(left()).toEqual([]);
});
