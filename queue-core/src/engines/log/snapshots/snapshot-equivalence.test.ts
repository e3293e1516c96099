/**
 * A log that starts from a snapshot and what came after it is the log that starts from all of its segments. Random
 * commits on tiny segments, with snapshots, restarts and retention in between, decide.
 */
import { cpSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Engine, PartitionRange, StateEntry, TopicConfig } from "../../../engine.ts";
import { type ManualClock, manualClock } from "../../clock.ts";
import { decodeSegmentHeader } from "../format/layout.ts";
import { segmentPaths, temporaryDirectory } from "../log-bed.ts";
import { openLogEngine } from "../open-log-engine.ts";
import { type Disk, nodeDisk } from "../writing/disk.ts";
import { snapshotPaths } from "./snapshot-bed.ts";
import { nextBatchSequenceOf } from "./snapshot-layout.ts";
import { mergeSnapshot } from "./snapshot-merge.ts";

const topics = [
  { name: "t", partitions: 2 },
  { name: "ring", partitions: 1, ringMessages: 4 },
];
const groups = ["g", "h"];
const namespaces = ["a", "b", "秒"];

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("append"),
      topic: fc.nat(1),
      partition: fc.nat(1),
      count: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("put"),
      namespace: fc.nat(2),
      keys: fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }),
      value: fc.option(fc.uint8Array({ maxLength: 40 })),
      expiresInMs: fc.option(fc.nat(3000)),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("advance"), group: fc.nat(1), partition: fc.nat(1), share: fc.nat(4) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("retire"), group: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("pass"), milliseconds: fc.nat(2500) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart") }) },
  // Lets snapshots and removals come to an end now and then, however the schedule falls.
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("rest") }) },
);
type Step = typeof step extends fc.Arbitrary<infer Kind> ? Kind : never;

/** Syncs cost time and are shown elsewhere. */
const unsyncedDisk: Disk = {
  ...nodeDisk,
  open: (path, mode) => ({ ...nodeDisk.open(path, mode), datasync: () => {} }),
  syncDirectory: () => {},
};

interface Run {
  readonly directory: string;
  readonly clock: ManualClock;
  readonly retentionBytes: number;
  /** Of the groups that are known: on each partition the offset from which on nothing may go. */
  readonly needed: Map<string, number[]>;
  engine: Engine;
}

const open = (directory: string, clock: ManualClock, retentionBytes = 1e9, snapshotBytes = 1) =>
  openLogEngine({
    directory,
    clock,
    disk: unsyncedDisk,
    segmentBytes: 400,
    snapshotBytes,
    memoryBytes: 300,
    reserveBytes: 1,
    retention: { bytes: retentionBytes },
  });

async function apply(run: Run, made: Step): Promise<void> {
  const { engine } = run;
  if (made.kind === "append") {
    const topic = made.topic === 0 ? "t" : "ring";
    const partition = made.topic === 0 ? made.partition : 0;
    const { end } = await engine.range(topic, partition);
    const append = Array.from({ length: made.count }, (_, index) => ({
      topic,
      partition,
      key: `k${index}`,
      value: Buffer.from(`${topic} ${end + index}`),
      ...(index % 2 === 0 ? { headers: { id: `id ${end}`, ext: { n: "1" } } } : {}),
    }));
    await engine.commit({ append });
  } else if (made.kind === "put") {
    const { value, expiresInMs } = made;
    const put = made.keys.map((key) => ({
      namespace: namespaces[made.namespace] as string,
      key: `é${key}`,
      value: value === null ? null : Buffer.from(value),
      ...(expiresInMs === null ? {} : { expiresAtMs: engine.now() + expiresInMs }),
    }));
    await engine.commit({ put });
  } else if (made.kind === "advance") {
    const ref = { group: groups[made.group] as string, topic: "t", partition: made.partition };
    const [committed, { end }] = await Promise.all([engine.committedOffset(ref), engine.range("t", made.partition)]);
    const to = committed + Math.floor(((end - committed) * made.share) / 4);
    await engine.commit({ advance: { ...ref, to } });
    const ranges = await Promise.all([0, 1].map((partition) => engine.range("t", partition)));
    const needed = run.needed.get(ref.group) ?? ranges.map(({ start }) => start);
    // What went before the log knew the group went rightly, also between the look above and the commit.
    needed[made.partition] = Math.max(to, ranges[made.partition]?.start ?? 0);
    run.needed.set(ref.group, needed);
  } else if (made.kind === "retire") {
    const group = groups[made.group] as string;
    run.needed.delete(group);
    await engine.commit({ retire: { group, topic: "t" } });
  } else if (made.kind === "pass") {
    run.clock.advance(made.milliseconds);
  } else if (made.kind === "restart") {
    await engine.close();
    run.engine = await open(run.directory, run.clock, run.retentionBytes);
  } else {
    for (let turn = 0; turn < 60; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

interface Visible {
  readonly topics: readonly TopicConfig[];
  readonly read: readonly {
    readonly range: PartitionRange;
    readonly messages: readonly { readonly offset: number }[];
    readonly committed: readonly number[];
  }[];
  readonly state: readonly (readonly StateEntry[])[];
}

/** Without the messages that are gone in the other one: the upkeep went on until the log was closed. */
function without(seen: Visible, { read }: Visible): Visible {
  const left = seen.read.map(({ range, messages, committed }, index) => {
    const { start } = (read[index] as Visible["read"][number]).range;
    return {
      range: { start: Math.max(range.start, start), end: range.end },
      messages: messages.filter(({ offset }) => offset >= start),
      committed: committed.map((offset) => Math.max(offset, start)),
    };
  });
  return { ...seen, read: left };
}

/** All that a reader can see. */
async function visible(engine: Engine): Promise<Visible> {
  const partitions = topics.flatMap(({ name, partitions: count }) =>
    Array.from({ length: count }, (_, partition) => ({ topic: name, partition })),
  );
  const read = partitions.map(async ({ topic, partition }) => {
    const messages: { readonly offset: number }[] = [];
    for (let offset = 0; ; ) {
      const found = await engine.read(topic, partition, offset, { maxMessages: 3 });
      const last = found.at(-1);
      if (last === undefined) break;
      messages.push(...found.map((message) => ({ ...message, value: message.value.toString() })));
      offset = last.offset + 1;
    }
    const committed = groups.map((group) => engine.committedOffset({ group, topic, partition }));
    return { range: await engine.range(topic, partition), messages, committed: await Promise.all(committed) };
  });
  const state = namespaces.map((namespace) => engine.scanState(namespace, { limit: 1000 }));
  return { topics: engine.topics(), read: await Promise.all(read), state: await Promise.all(state) };
}

/** What the next owner and the next commit get. */
async function next(engine: Engine): Promise<unknown> {
  const lease = await engine.acquireLease({ group: "g", topic: "t", partition: 0, member: "m", ttlMs: 1000 });
  return [lease?.epoch, await engine.commit({ append: [{ topic: "t", partition: 1, key: "", value: Buffer.of() }] })];
}

async function play(steps: readonly Step[], retentionBytes: number): Promise<Run & { seen: Visible }> {
  const directory = temporaryDirectory();
  const clock = manualClock();
  const engine = await open(directory, clock, retentionBytes);
  const run: Run = { directory, clock, retentionBytes, needed: new Map(), engine };
  await run.engine.declareTopics(topics);
  for (const made of steps) await apply(run, made);
  const seen = await visible(run.engine);
  await run.engine.close();
  return { ...run, seen };
}

const steps = fc.array(step, { minLength: 10, maxLength: 70 });
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

describe(`equivalence (SEED=${seed})`, () => {
  it("a log reopened from a snapshot and its tail is the one folded from all its segments, and the one before", async () => {
    let withSnapshot = 0;
    const property = fc.asyncProperty(steps, async (made) => {
      const { directory, clock, seen } = await play(made, 1e9);
      const folded = temporaryDirectory();
      cpSync(directory, folded, { recursive: true });
      if (snapshotPaths(directory).length > 0) withSnapshot++;
      for (const path of snapshotPaths(folded)) rmSync(path);
      const outcomes: unknown[] = [];
      for (const place of [directory, folded]) {
        const engine = await open(place, clock, 1e9, 1e9);
        expect(await visible(engine)).toEqual(seen);
        outcomes.push(await next(engine));
        await engine.close();
      }
      expect(outcomes[0]).toEqual(outcomes[1]);
      rmSync(folded, { recursive: true });
      rmSync(directory, { recursive: true });
    });
    await fc.assert(property, { numRuns: 60, seed });
    expect(withSnapshot).toBeGreaterThan(20);
  });

  it("a snapshot merged step by step is, byte for byte, the one made from all segments at once", async () => {
    let compared = 0;
    const property = fc.asyncProperty(steps, async (made) => {
      const { directory } = await play(made, 1e9);
      const path = snapshotPaths(directory).findLast((found) => found.endsWith(".snapshot"));
      if (path !== undefined) {
        const sequence = nextBatchSequenceOf(basename(path)) as number;
        const sequences = segmentPaths(directory).map((segment) => Number(basename(segment).slice(0, 16)));
        const segments = sequences.filter((segment) => segment < sequence);
        const header = decodeSegmentHeader(readFileSync(segmentPaths(directory)[0] as string));
        if (typeof header === "string") throw new Error(header);
        const merged = readFileSync(path);
        const roomSign = new SharedArrayBuffer(4);
        const request = { directory, logId: header.logId, previous: undefined, segments, next: sequence, roomSign };
        await mergeSnapshot(unsyncedDisk, request, async () => {});
        expect(readFileSync(path).equals(merged)).toBe(true);
        compared++;
      }
      rmSync(directory, { recursive: true });
    });
    await fc.assert(property, { numRuns: 40, seed });
    expect(compared).toBeGreaterThan(10);
  });

  it("with retention, a restart changes nothing that is visible, and no group misses a message", async () => {
    let shortened = 0;
    const property = fc.asyncProperty(steps, async (made) => {
      const { directory, clock, seen, needed } = await play(made, 900);
      if (!segmentPaths(directory).includes(join(directory, "0000000000000000.segment"))) shortened++;
      const engine = await open(directory, clock, 1e9, 1e9);
      const again = await visible(engine);
      expect(again).toEqual(without(seen, again));
      for (const offsets of needed.values()) {
        for (const [partition, offset] of offsets.entries()) {
          expect((await engine.range("t", partition)).start).toBeLessThanOrEqual(offset);
        }
      }
      await next(engine);
      await engine.close();
      rmSync(directory, { recursive: true });
    });
    await fc.assert(property, { numRuns: 60, seed });
    expect(shortened).toBeGreaterThan(5);
  });

  it.each<Step>([
    { kind: "put", namespace: 0, keys: [21], value: Uint8Array.of(1), expiresInMs: null },
    { kind: "append", topic: 0, partition: 1, count: 1 },
    { kind: "append", topic: 1, partition: 0, count: 1 },
    { kind: "advance", group: 1, partition: 0, share: 4 },
  ])("sees the difference that one more commit makes: %o", async (more) => {
    const run = await play([{ kind: "append", topic: 0, partition: 0, count: 1 }], 1e9);
    run.engine = await open(run.directory, run.clock);
    expect(await visible(run.engine)).toEqual(run.seen);
    await apply(run, more);
    expect(await visible(run.engine)).not.toEqual(run.seen);
    await run.engine.close();
  });
});
