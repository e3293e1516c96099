import { expect, it } from "vitest";
import { defineTopic, describeGroups, emit, type GroupMember } from "../src/index.ts";
import { gate, onEveryEngine, turn } from "./queue-bed.ts";

const jobs = defineTopic<{ readonly key: string; readonly n: number }>({
  name: "jobs",
  partitions: 6,
  keyOf: (job) => job.key,
});

onEveryEngine("consumer groups", (bed) => {
  const queueOf = () => bed().queue([jobs]);
  const partitions = (member: GroupMember) => member.statistics().partitions;
  const join = (queue: Awaited<ReturnType<typeof queueOf>>, member: string, seen: number[] = []) =>
    queue.consume({
      group: "workers",
      topic: jobs,
      member,
      handle: async ([message]) => {
        if (message !== undefined) seen.push(message.value.n);
        return { kind: "done" };
      },
    });

  it("share partitions evenly over members of several processes, and move them as members come and go", async () => {
    const [one, two] = [await queueOf(), await queueOf()];
    const first = await join(one, "m1");
    expect(partitions(first)).toEqual([0, 1, 2, 3, 4, 5]);
    const second = await join(two, "m2");
    await bed().eventually(() => partitions(first).length === 3 && partitions(second).length === 3);
    expect([partitions(first), partitions(second)]).toEqual([
      [0, 2, 4],
      [1, 3, 5],
    ]);
    const third = await join(one, "m3");
    await bed().eventually(() => [first, second, third].every((member) => partitions(member).length === 2));
    expect([first, second, third].map(partitions)).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    await first.stop();
    await bed().eventually(() => partitions(second).length === 3 && partitions(third).length === 3);
    expect([partitions(second), partitions(third)]).toEqual([
      [0, 2, 4],
      [1, 3, 5],
    ]);
  });

  it("hand partitions over at once when a member stops, and after its lease when it is killed", async () => {
    const queue = await queueOf();
    const killed = await join(queue, "m1");
    const stays = await join(queue, "m2");
    await bed().eventually(() => partitions(stays).length === 3);
    killed.kill();
    expect(partitions(killed)).toEqual([]);
    await bed().settle();
    expect(partitions(stays)).toHaveLength(3);
    await bed().eventually(() => partitions(stays).length === 6);

    const leaves = await join(queue, "m3");
    await bed().eventually(() => partitions(leaves).length === 3);
    const before = queue.now();
    await leaves.stop();
    await bed().eventually(() => partitions(stays).length === 6);
    expect(queue.now() - before).toBeLessThan(3_000);
  });

  it("never have two members at work on one partition, however they come, go and die", async () => {
    const queues = await Promise.all([queueOf(), queueOf(), queueOf()]);
    const workers = new Map<number, Set<string>>();
    const overlaps: string[] = [];
    const done = new Set<number>();
    const enter = async (queue: Awaited<ReturnType<typeof queueOf>>, member: string) =>
      queue.consume({
        group: "workers",
        topic: jobs,
        member,
        handle: async (batch) => {
          const partition = batch[0]?.partition ?? -1;
          const inside = workers.get(partition) ?? new Set();
          workers.set(partition, inside.add(member));
          if (inside.size > 1) overlaps.push([...inside].join(" and "));
          for (let turns = 0; turns < 4; turns++) await turn();
          inside.delete(member);
          for (const { value } of batch) done.add(value.n);
          return { kind: "done" };
        },
      });
    const members: GroupMember[] = [];
    let published = 0;
    for (let round = 0; round < 9; round++) {
      const queue = queues[round % 3] as (typeof queues)[0];
      members.push(await enter(queue, `m${round}`));
      await Promise.all(
        Array.from({ length: 20 }, () => queue.publish(jobs, { key: `k${published % 17}`, n: published++ })),
      );
      await bed().settle();
      if (round % 3 === 2) await members.shift()?.stop();
    }
    await bed().eventually(() => done.size === published);
    expect(overlaps).toEqual([]);
  });

  it("take two members of one name for two: they share partitions, and neither commits on the other's lease", async () => {
    const pay = defineTopic<number>({ name: "pay", partitions: 1, keyOf: () => "k" });
    const captures = defineTopic<number>({ name: "captures", partitions: 1, keyOf: () => "k" });
    const queues = await Promise.all([bed().queue([jobs, pay, captures]), bed().queue([jobs, pay, captures])]);
    const copies = await Promise.all(queues.map((queue) => join(queue, "worker-0")));
    await bed().eventually(() => copies.every((copy) => partitions(copy).length === 3));
    expect(copies.flatMap((copy) => partitions(copy)).sort()).toEqual([0, 1, 2, 3, 4, 5]);

    const gathered = gate();
    let working = 0;
    const decided: number[] = [];
    for (const queue of queues) {
      await queue.process<number, true>({
        group: "stage",
        topic: pay,
        member: "worker-0",
        keys: () => [],
        prepare: {
          budgetMs: 60_000,
          gather: async () => {
            working++;
            await gathered.promise;
            return true;
          },
        },
        decide: ({ value }) => {
          decided.push(value);
          return { emit: [emit(captures, value)] };
        },
      });
    }
    await queues[0]?.publish(pay, 1);
    await bed().eventually(() => working > 0);
    await bed().settle();
    expect(working).toBe(1);
    gathered.open();
    await bed().eventually(async () => (await queues[0]?.groupStatistics("stage", pay))?.[0]?.lagMessages === 0);
    expect(decided).toEqual([1]);
    expect((await bed().engine.range("captures", 0)).end).toBe(1);
    expect(copies.map(({ member }) => member)).toEqual(["worker-0", "worker-0"]);
    expect((await queues[0]?.groupStatistics("stage", pay))?.[0]?.owner).toBe("worker-0");
  });

  it("refuse a stale member's progress after its lease moved: the heir's offset stands", async () => {
    const queue = await queueOf();
    const { partition } = await queue.publish(jobs, { key: "x", n: 1 });
    const held = gate();
    let isStarted = false;
    const stale = await queue.consume({
      group: "workers",
      topic: jobs,
      member: "stale",
      handle: async () => {
        isStarted = true;
        await held.promise;
        return { kind: "dead", reason: "told by a stale member" };
      },
    });
    await bed().eventually(() => isStarted);
    // The process is stopped for longer than its lease; another one takes the partition over.
    bed().timers.suspend();
    const ref = { group: "workers", topic: "jobs", partition, member: "heir", ttlMs: 3_600_000 };
    await bed().eventually(async () => (await bed().engine.acquireLease(ref)) !== undefined);
    bed().timers.resume();
    held.open();
    await bed().eventually(() => !stale.statistics().partitions.includes(partition));
    expect((await queue.groupStatistics("workers", jobs))[partition]?.committed).toBe(0);
    expect(await queue.deadLetters("workers", jobs, 10)).toEqual([]);
  });

  it("notice at the next renewal that a lease went to somebody else, also where there is nothing to commit", async () => {
    const queue = await queueOf();
    const stale = await join(queue, "stale");
    bed().timers.suspend();
    const ref = { group: "workers", topic: "jobs", partition: 3, member: "heir", ttlMs: 3_600_000 };
    await bed().eventually(async () => (await bed().engine.acquireLease(ref)) !== undefined);
    bed().timers.resume();
    await bed().eventually(() => !partitions(stale).includes(3));
    expect(partitions(stale)).toEqual([0, 1, 2, 4, 5]);
    expect((await queue.groupStatistics("workers", jobs))[3]?.committed).toBe(0);
  });

  it("each read every message of a topic, whatever another group does", async () => {
    const queue = await queueOf();
    const stuck = gate();
    await queue.consume({
      group: "stuck",
      topic: jobs,
      handle: async () => {
        await stuck.promise;
        return { kind: "done" };
      },
    });
    await queue.consume({
      group: "failing",
      topic: jobs,
      handle: async () => {
        throw new Error("always");
      },
    });
    await queue.process({
      group: "poisoned",
      topic: jobs,
      keys: () => [],
      decide: () => {
        throw new Error("always");
      },
    });
    const seen: number[] = [];
    await join(queue, "m1", seen);
    const before = queue.now();
    await Promise.all(Array.from({ length: 50 }, (_, n) => queue.publish(jobs, { key: `k${n}`, n })));
    await bed().eventually(() => seen.length === 50);
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    // The failing group waits seconds between its attempts; nobody else does.
    expect(queue.now() - before).toBeLessThan(1_000);
    stuck.open();
  });

  it("tell start, end, committed offset, lag and owner of each partition", async () => {
    const queue = await queueOf();
    const receipt = await queue.publish(jobs, { key: "x", n: 1 });
    const idle = await queue.groupStatistics("workers", jobs);
    expect(idle[receipt.partition]).toEqual({
      partition: receipt.partition,
      start: 0,
      end: 1,
      committed: 0,
      lagMessages: 1,
      owner: undefined,
    });
    await join(queue, "m1");
    await bed().eventually(
      async () => (await queue.groupStatistics("workers", jobs))[receipt.partition]?.lagMessages === 0,
    );
    expect((await queue.groupStatistics("workers", jobs)).map(({ owner }) => owner)).toEqual(Array(6).fill("m1"));
  });

  it("are seen from outside: members with their process, and each partition's owner, epoch, offset and lag", async () => {
    const one = await bed().queue([jobs], { processName: "first" });
    const two = await bed().queue([jobs], { processName: "second" });
    const beforeMs = one.now();
    const stays = await join(one, "m1");
    const goes = await join(two, "m2");
    await bed().eventually(() => partitions(goes).length === 3 && partitions(stays).length === 3);
    for (let n = 0; n < 5; n++) await one.publish(jobs, { key: "x", n });
    await bed().eventually(
      async () => (await look())?.partitions.every(({ lagMessages }) => lagMessages === 0) ?? false,
    );
    const before = await look();
    expect(before?.members).toMatchObject([
      { name: "m1", process: "first" },
      { name: "m2", process: "second" },
    ]);
    for (const { sinceMs } of before?.members ?? []) {
      expect(sinceMs).toBeGreaterThanOrEqual(beforeMs);
      expect(sinceMs).toBeLessThanOrEqual(one.now());
    }
    const [m1, m2] = before?.members.map(({ id }) => id) ?? [];
    expect(before?.partitions.map(({ owner }) => owner)).toEqual([m1, m2, m1, m2, m1, m2]);
    expect(before?.partitions.every(({ leasedUntilMs = 0 }) => leasedUntilMs > beforeMs)).toBe(true);
    expect(before?.partitions.reduce((sum, { committed }) => sum + committed, 0)).toBe(5);

    await goes.stop();
    await bed().eventually(() => partitions(stays).length === 6);
    const after = await look();
    expect(after?.members.map(({ name }) => name)).toEqual(["m1"]);
    expect(after?.partitions.map(({ owner }) => owner)).toEqual(Array(6).fill(m1));
    const epochs = (group: typeof after) => group?.partitions.map(({ epoch = 0 }) => epoch) ?? [];
    const grew = epochs(after).map((epoch, index) => epoch > (epochs(before)[index] ?? 0));
    expect(grew).toEqual([false, true, false, true, false, true]);

    await stays.stop();
    expect((await look())?.partitions.map(({ owner, leasedUntilMs }) => [owner, leasedUntilMs])).toEqual(
      Array(6).fill([undefined, undefined]),
    );
    async function look() {
      return (await describeGroups(one.engine)).find(({ group }) => group === "workers");
    }
  });

  it("let nothing run once the queue stopped: no timer is left, and stopping twice is stopping once", async () => {
    const queue = await queueOf();
    const member = await join(queue, "m1");
    await queue.requester();
    await queue.transactional({ group: "senders", topic: jobs, checkBack: async () => "unknown" });
    await queue.publish(jobs, { key: "x", n: 1 }, { delayMs: 60_000 });
    expect(bed().timers.pending).toBeGreaterThan(0);
    await queue.stop();
    await Promise.all([queue.stop(), member.stop()]);
    member.kill();
    expect(bed().timers.pending).toBe(0);
    await expect(join(queue, "m2")).rejects.toMatchObject({ code: "CLOSED" });
    expect(bed().faults).toEqual([]);
  });

  it("refuse bad names and numbers with INVALID_ARGUMENT", async () => {
    const queue = await queueOf();
    const handle = async () => ({ kind: "done" as const });
    const bad = [
      { group: "a/b" },
      { group: "$x" },
      { member: "" },
      { maxBatch: 0 },
      { concurrency: 1.5 },
      { maxAttempts: -1 },
    ];
    for (const options of bad) {
      await expect(queue.consume({ group: "g", topic: jobs, handle, ...options })).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
    }
  });
});
