/**
 * The contracts of `consume`, on every engine.
 *
 * Length: one list, a test for each sentence of the contract.
 */
import { expect, it } from "vitest";
import { dead, defineTopic, done, type Message, type Outcome, pause, QueueError, retry } from "../src/index.ts";
import { gate, leftOpen, onEveryEngine, withOverrides } from "./queue-bed.ts";

interface Job {
  readonly key: string;
  readonly n: number;
}

const jobs = defineTopic<Job>({ name: "jobs", partitions: 1, keyOf: (job) => job.key });

onEveryEngine("consume", (bed) => {
  const open = () => bed().queue([jobs]);
  type Opened = Awaited<ReturnType<typeof open>>;
  const publish = async (queue: Opened, ...names: string[]) => {
    for (const [n, key] of names.entries()) await queue.publish(jobs, { key, n });
  };
  const committed = async (queue: Opened, group = "g") => (await queue.groupStatistics(group, jobs))[0]?.committed;
  const name = (message: Message<Job>) => `${message.value.key}${message.value.n}`;

  it("delivers batches in order, at most maxBatch at a time, and commits behind them", async () => {
    const queue = await open();
    await publish(queue, "a", "b", "c", "d", "e");
    const batches: string[][] = [];
    await queue.consume<Job>({
      group: "g",
      topic: jobs,
      maxBatch: 2,
      handle: async (batch) => {
        batches.push(batch.map(name));
        return done;
      },
    });
    await bed().eventually(async () => (await committed(queue)) === 5);
    expect(batches).toEqual([["a0", "b1"], ["c2", "d3"], ["e4"]]);
  });

  it("waits lingerMs for more before a batch that is not full, and not at all before a full one", async () => {
    const queue = await open();
    const batches: string[][] = [];
    await queue.consume<Job>({
      group: "g",
      topic: jobs,
      maxBatch: 3,
      lingerMs: 1_000,
      handle: async (batch) => {
        batches.push(batch.map(name));
        return done;
      },
    });
    await publish(queue, "a");
    await bed().settle();
    expect(batches).toEqual([]);
    await publish(queue, "b");
    await bed().settle();
    bed().timers.advance(1_000);
    await bed().settle();
    expect(batches).toEqual([["a0", "b0"]]);
    await publish(queue, "c", "d", "e");
    await bed().settle();
    expect(batches[1]).toEqual(["c0", "d1", "e2"]);
  });

  it("waits longer the more the batch before held, up to lingerMaxMs, and for a trickle no longer than ever", async () => {
    const queue = await open();
    const batches: number[] = [];
    await queue.consume<Job>({
      group: "g",
      topic: jobs,
      maxBatch: 50,
      lingerMs: 10,
      lingerMaxMs: 100,
      handle: async (batch) => {
        batches.push(batch.length);
        return done;
      },
    });
    const handledAfter = async (ms: number, ...keys: readonly string[]): Promise<boolean> => {
      const before = batches.length;
      await publish(queue, ...keys);
      await bed().settle();
      bed().timers.advance(ms);
      await bed().settle();
      return batches.length > before;
    };
    const three = ["a", "b", "c"];
    expect(await handledAfter(10, ...three, ...three)).toBe(true);
    expect(await handledAfter(99, "d")).toBe(false);
    expect(await handledAfter(1, "e", "f")).toBe(true);
    expect(await handledAfter(59, "g")).toBe(false);
    expect(await handledAfter(1)).toBe(true);
    expect(await handledAfter(20, "h")).toBe(true);
    expect(batches).toEqual([6, 3, 1, 1]);
  });

  it("runs batches side by side, but never two with messages of one key", async () => {
    const queue = await open();
    await publish(queue, "a", "a", "b", "c", "a", "b");
    const gates = new Map<string, ReturnType<typeof gate<void>>>();
    const started: string[] = [];
    await queue.consume<Job>({
      group: "g",
      topic: jobs,
      concurrency: 3,
      handle: async ([message]) => {
        const current = name(message as Message<Job>);
        started.push(current);
        const held = gate();
        gates.set(current, held);
        await held.promise;
        return done;
      },
    });
    await bed().eventually(() => started.length === 3);
    expect(started).toEqual(["a0", "b2", "c3"]);
    gates.get("b2")?.open();
    await bed().eventually(() => started.length === 4);
    expect(started[3]).toBe("b5");
    gates.get("a0")?.open();
    await bed().eventually(() => started.length === 5);
    expect(started[4]).toBe("a1");
    for (const last of ["a1", "c3", "b5"]) gates.get(last)?.open();
    await bed().eventually(() => started.length === 6);
    gates.get("a4")?.open();
    await bed().eventually(async () => (await committed(queue)) === 6);
  });

  it("moves the committed offset only over a contiguous acknowledged head", async () => {
    const queue = await open();
    const held = gate();
    const handled: string[] = [];
    const member = await queue.consume<Job>({
      group: "g",
      topic: jobs,
      concurrency: 4,
      handle: async ([message]) => {
        const current = name(message as Message<Job>);
        if (current === "a0") await held.promise;
        handled.push(current);
        return done;
      },
    });
    await publish(queue, "a", "b", "c");
    await bed().eventually(() => handled.length === 2);
    await bed().settle();
    expect(await committed(queue)).toBe(0);
    held.open();
    await bed().eventually(async () => (await committed(queue)) === 3);
    expect(member.statistics()).toMatchObject({ handled: 3, retried: 0, deadLettered: 0 });
  });

  it("retries after a growing wait, holds the key back meanwhile, and lets others go on", async () => {
    const queue = await open();
    await publish(queue, "a", "a", "b");
    const seen: string[] = [];
    const atMs: number[] = [];
    await queue.consume<Job>({
      group: "g",
      topic: jobs,
      handle: async ([message]) => {
        const { attempt } = message as Message<Job>;
        seen.push(`${name(message as Message<Job>)}#${attempt}`);
        if (name(message as Message<Job>) !== "a0") return done;
        atMs.push(queue.now());
        if (attempt < 4) throw new Error("not yet");
        return done;
      },
    });
    await bed().eventually(async () => (await committed(queue)) === 3);
    expect(seen).toEqual(["a0#1", "b2#1", "a0#2", "a0#3", "a0#4", "a1#1"]);
    const waits = atMs.slice(1).map((at, index) => at - (atMs[index] as number));
    expect(waits.every((wait, index) => wait >= 50 * 2 ** index)).toBe(true);
  });

  it("waits as long as a retry asks for", async () => {
    const queue = await open();
    await publish(queue, "a");
    const atMs: number[] = [];
    await queue.consume<Job>({
      group: "g",
      topic: jobs,
      handle: async () => {
        atMs.push(queue.now());
        return atMs.length === 1 ? retry({ afterMs: 7_000 }) : done;
      },
    });
    await bed().eventually(() => atMs.length === 2);
    expect((atMs[1] as number) - (atMs[0] as number)).toBeGreaterThanOrEqual(7_000);
  });

  it("delivers later messages of a key again after one that failed in the same batch", async () => {
    const queue = await open();
    await publish(queue, "a", "a", "b");
    const batches: string[][] = [];
    await queue.consume<Job>({
      group: "g",
      topic: jobs,
      maxBatch: 10,
      handle: async (batch) => {
        batches.push(batch.map((message) => `${name(message)}#${message.attempt}`));
        return batch.map((message): Outcome => (message.value.n === 0 && message.attempt === 1 ? retry() : done));
      },
    });
    await bed().eventually(async () => (await committed(queue)) === 3);
    expect(batches).toEqual([
      ["a0#1", "a1#1", "b2#1"],
      ["a0#2", "a1#1"],
    ]);
  });

  it("gives up after maxAttempts, keeping the history of errors", async () => {
    const queue = await open();
    await publish(queue, "a", "b");
    let tries = 0;
    const member = await queue.consume<Job>({
      group: "g",
      topic: jobs,
      maxAttempts: 3,
      handle: async ([message]) => {
        if (message?.value.key === "b") return done;
        throw new Error(`failure ${++tries}`);
      },
    });
    await bed().eventually(async () => (await committed(queue)) === 2);
    const [letter, ...more] = await queue.deadLetters("g", jobs, 10);
    expect(more).toEqual([]);
    expect(letter).toMatchObject({
      group: "g",
      reason: "gave up after 3 attempts: failure 3",
      message: { value: { key: "a" }, attempt: 3 },
    });
    expect(letter?.history.map(({ error }) => error)).toEqual(["failure 1", "failure 2", "failure 3"]);
    expect(member.statistics()).toMatchObject({ handled: 1, retried: 2, deadLettered: 1 });
  });

  it("dead-letters at once what the handler calls dead, and what cannot be decoded", async () => {
    const queue = await open();
    await publish(queue, "a");
    await bed().engine.commit({ append: [{ topic: "jobs", partition: 0, key: "x", value: Buffer.from("{") }] });
    await queue.consume<Job>({ group: "g", topic: jobs, handle: async () => dead("no such account") });
    await bed().eventually(async () => (await committed(queue)) === 2);
    const letters = await queue.deadLetters("g", jobs, 10);
    expect(letters.map((letter) => letter.reason)).toEqual([
      "no such account",
      expect.stringContaining("cannot be decoded"),
    ]);
  });

  it("rests the whole partition on pause, and spends no attempt", async () => {
    const queue = await open();
    await publish(queue, "a", "b");
    const seen: string[] = [];
    let isDown = true;
    await queue.consume<Job>({
      group: "g",
      topic: jobs,
      maxAttempts: 1,
      handle: async ([message]) => {
        seen.push(`${name(message as Message<Job>)}#${message?.attempt}`);
        return isDown ? pause({ afterMs: 1_000 }) : done;
      },
    });
    await bed().eventually(() => seen.length === 3);
    isDown = false;
    await bed().eventually(async () => (await committed(queue)) === 2);
    expect(new Set(seen)).toEqual(new Set(["a0#1", "b1#1"]));
    expect(await queue.deadLetters("g", jobs, 10)).toEqual([]);
  });

  it("does no work whose deadline is over", async () => {
    const queue = await open();
    await queue.publish(jobs, { key: "late", n: 0 }, { deadlineMs: queue.now() + 100 });
    await queue.publish(jobs, { key: "in-time", n: 1 }, { deadlineMs: queue.now() + 1_000_000 });
    bed().timers.advance(200);
    const seen: string[] = [];
    const member = await queue.consume<Job>({
      group: "g",
      topic: jobs,
      handle: async ([message]) => {
        seen.push(name(message as Message<Job>));
        return done;
      },
    });
    await bed().eventually(async () => (await committed(queue)) === 2);
    expect(seen).toEqual(["in-time1"]);
    expect(member.statistics()).toMatchObject({ handled: 1, expired: 1 });
  });

  it("treats a wrong number of outcomes as a failure of the batch", async () => {
    const queue = await open();
    await publish(queue, "a");
    await queue.consume<Job>({ group: "g", topic: jobs, maxAttempts: 1, handle: async () => [done, done] });
    await bed().eventually(async () => (await committed(queue)) === 1);
    expect((await queue.deadLetters("g", jobs, 1))[0]?.reason).toContain("2 outcomes for 1 messages");
  });

  it("begins where startOffset says, asked at each take-over, and lets the committed offset follow", async () => {
    const queue = await open();
    await publish(queue, "a", "b", "c", "d");
    let own = 2;
    const seen: string[] = [];
    const options = {
      group: "g",
      topic: jobs,
      startOffset: async () => own,
      handle: async ([message]: readonly Message<Job>[]) => {
        seen.push(name(message as Message<Job>));
        own = (message as Message<Job>).offset + 1;
        return done;
      },
    };
    const first = await queue.consume<Job>(options);
    await bed().eventually(async () => (await committed(queue)) === 4);
    expect(seen).toEqual(["c2", "d3"]);
    await first.stop();
    own = 3;
    await queue.consume<Job>(options);
    await bed().eventually(() => seen.length === 3);
    expect(seen[2]).toBe("d3");
    expect(await committed(queue)).toBe(4);
  });

  it("lets the committed offset follow a group's own that is ahead of it, also when no message comes any more", async () => {
    const queue = await open();
    await publish(queue, "a", "b");
    const handle = async () => done;
    await queue.consume<Job>({ group: "g", topic: jobs, startOffset: async () => 2, handle });
    await bed().eventually(async () => (await committed(queue)) === 2);
  });

  it("refuses a startOffset beyond the end, which is another log's, instead of waiting there in silence", async () => {
    const queue = await open();
    await publish(queue, "a");
    const handled: string[] = [];
    await queue.consume<Job>({
      group: "g",
      topic: jobs,
      startOffset: async () => 7,
      handle: async ([message]) => {
        handled.push(name(message as Message<Job>));
        return done;
      },
    });
    const refusal = "startOffset gave 7, beyond the end 1";
    await bed().eventually(() => bed().faults.some(({ error }) => String(error).includes(refusal)));
    expect(handled).toEqual([]);
  });

  it("lets a running handler finish when it stops, and another member goes on behind it", async () => {
    const queue = await open();
    await publish(queue, "a", "b");
    const held = gate();
    const seen: string[] = [];
    const first = await queue.consume<Job>({
      group: "g",
      topic: jobs,
      handle: async ([message]) => {
        seen.push(name(message as Message<Job>));
        await held.promise;
        return done;
      },
    });
    await bed().eventually(() => seen.length === 1);
    const stopped = first.stop();
    held.open();
    await stopped;
    expect(await committed(queue)).toBe(1);
    await queue.consume<Job>({
      group: "g",
      topic: jobs,
      handle: async ([message]) => {
        seen.push(name(message as Message<Job>));
        return done;
      },
    });
    await bed().eventually(() => seen.length === 2);
    expect(seen).toEqual(["a0", "b1"]);
  });

  it("aborts a handler that outlasts the grace, and does not count its outcome", async () => {
    const queue = await open();
    await publish(queue, "a");
    const aborted = gate();
    const member = await queue.consume<Job>({
      group: "g",
      topic: jobs,
      handle: async (_, signal) => {
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        aborted.open();
        return done;
      },
    });
    await bed().settle();
    let isStopped = false;
    const stopping = member.stop({ graceMs: 500 }).then(() => {
      isStopped = true;
    });
    await bed().eventually(() => isStopped);
    await stopping;
    await aborted.promise;
    await bed().settle();
    expect(await committed(queue)).toBe(0);
  });

  it("delivers again what a killed member had done but not committed", async () => {
    const queue = await open();
    await publish(queue, "a");
    const seen: string[] = [];
    const held = gate();
    const killed = await queue.consume<Job>({
      group: "g",
      topic: jobs,
      handle: async () => {
        seen.push("killed");
        await held.promise;
        return done;
      },
    });
    await bed().eventually(() => seen.length === 1);
    killed.kill();
    held.open();
    await queue.consume<Job>({
      group: "g",
      topic: jobs,
      handle: async () => {
        seen.push("heir");
        return done;
      },
    });
    await bed().eventually(async () => (await committed(queue)) === 1);
    expect(seen).toEqual(["killed", "heir"]);
  });

  it("stores head and dead letters in the end although commits fail for a while", async () => {
    let failures = 3;
    const engine = withOverrides(leftOpen(bed().engine), {
      commit: (commit) => {
        if (commit.fence === undefined || failures-- <= 0) return bed().engine.commit(commit);
        return Promise.reject(new QueueError("STORAGE_FULL"));
      },
    });
    const queue = await bed().queue([jobs], { engine });
    await queue.consume<Job>({ group: "g", topic: jobs, handle: async () => dead("as told") });
    await publish(queue, "a", "b");
    await bed().eventually(async () => (await committed(queue)) === 2);
    expect(await queue.deadLetters("g", jobs, 10)).toHaveLength(2);
  });

  it("needs far fewer commits than messages when messages are many", async () => {
    const queue = await open();
    await Promise.all(Array.from({ length: 500 }, (_, n) => queue.publish(jobs, { key: `k${n}`, n })));
    const before = bed().engine.statistics().commits;
    await queue.consume<Job>({ group: "g", topic: jobs, maxBatch: 50, concurrency: 4, handle: async () => done });
    await bed().eventually(async () => (await committed(queue)) === 500);
    expect(bed().engine.statistics().commits - before).toBeLessThanOrEqual(25);
  });
});
