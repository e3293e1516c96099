import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import type { Commit, Engine } from "../../../engine.ts";
import { manualClock } from "../../clock.ts";
import { Model } from "../../model.ts";
import { allTexts, append, numbers, openLog, segmentPaths, temporaryDirectory } from "../log-bed.ts";
import { PartitionMessages } from "../reading/partition-messages.ts";
import { SegmentList } from "../reading/segment-list.ts";
import { LogFold } from "../recovery/log-fold.ts";
import { type Disk, nodeDisk } from "../writing/disk.ts";
import { faultyDisk } from "../writing/faulty-disk.ts";
import { smallDisk } from "../writing/small-disk.ts";
import { firstRetained } from "./retention.ts";
import { fillSegment, openWatched, smallSegments, snapshotPaths } from "./snapshot-bed.ts";

const sms = { group: "sms", topic: "t", partition: 0 };
const smallLog = { retention: { bytes: 1500 } } as const;

async function publish(engine: Engine, texts: readonly string[], partition = 0): Promise<void> {
  for (const text of texts) await engine.commit(append(text, partition));
}

/** One timer, which a test fires. */
function manualTimers() {
  let waiting: { readonly ms: number; readonly run: () => void } | undefined;
  return {
    after(ms: number, run: () => void) {
      const own = { ms, run };
      waiting = own;
      return () => {
        if (waiting === own) waiting = undefined;
      };
    },
    fire: () => waiting?.run(),
    waitsMs: () => waiting?.ms,
  };
}

describe("retention", () => {
  it("lets the oldest segments go while the log is larger than asked for, and reads start behind them", async () => {
    const directory = temporaryDirectory();
    const { engine, next } = await openWatched(directory, { ...smallLog, memoryBytes: 1 });
    await publish(engine, numbers(40));
    const { fileNames } = await next("segments removed");
    await publish(engine, ["last"]);
    for (const name of fileNames) expect(segmentPaths(directory).map((path) => basename(path))).not.toContain(name);
    const all = [...numbers(40), "last"];
    const left = await allTexts(engine);
    expect(left).toEqual(all.slice(-left.length));
    await engine.close();

    // Nothing goes any more: what is left can be looked at.
    const again = await openLog(directory, { ...smallSegments, memoryBytes: 1 });
    const { start, end } = await again.range("t", 0);
    expect(start).toBeGreaterThan(0);
    expect(end).toBe(41);
    expect(await allTexts(again)).toEqual(all.slice(start));
    expect((await again.read("t", 0, -3, { maxMessages: 1 }))[0]?.offset).toBe(start);
    expect(await again.committedOffset(sms)).toBe(start);
  });

  it("lets segments go once they are older than asked for", async () => {
    const directory = temporaryDirectory();
    const clock = manualClock();
    const { engine, next, reports } = await openWatched(directory, { clock, retention: { ms: 60_000 } });
    await publish(engine, numbers(20));
    await fillSegment(engine, directory);
    await next("snapshot taken");
    expect(reports.map(({ kind }) => kind)).not.toContain("segments removed");
    clock.advance(60_001);
    await fillSegment(engine, directory);
    await next("segments removed");
    expect(await engine.range("t", 0)).toEqual({ start: 20, end: 20 });
  });

  it("lets what is too old go from a log to which nothing is written any more", async () => {
    const directory = temporaryDirectory();
    const clock = manualClock();
    const timers = manualTimers();
    const { engine, next } = await openWatched(directory, {
      clock,
      timers,
      snapshotBytes: 1e9,
      retention: { ms: 60_000 },
    });
    await publish(engine, numbers(3));
    expect(segmentPaths(directory)).toHaveLength(1);
    expect(timers.waitsMs()).toBe(15_000);
    clock.advance(15_001);
    timers.fire();
    await expect.poll(() => segmentPaths(directory)).toHaveLength(2);
    clock.advance(60_000);
    timers.fire();
    await next("segments removed");
    expect(await engine.range("t", 0)).toEqual({ start: 3, end: 3 });

    // What is left has no message: however long nothing happens, no more segments and snapshots are made.
    const left = [...segmentPaths(directory), ...snapshotPaths(directory)];
    for (let look = 0; look < 3; look++) {
      clock.advance(60_000);
      timers.fire();
    }
    await engine.close();
    expect([...segmentPaths(directory), ...snapshotPaths(directory)]).toEqual(left);
    expect(timers.waitsMs()).toBeUndefined();
  });

  it("leaves a segment that is written to so slowly that it would never be full", async () => {
    const directory = temporaryDirectory();
    const clock = manualClock();
    const options = { clock, timers: manualTimers(), retention: { ms: 60_000 }, segmentBytes: 1e6 };
    const { engine, next } = await openWatched(directory, options);
    for (let hour = 0; hour < 8; hour++) {
      await publish(engine, numbers(1));
      clock.advance(16_000);
    }
    await next("segments removed");
    expect((await engine.range("t", 0)).start).toBeGreaterThan(0);
  });

  it("lets everything go at once that may go when the disk is full, and publishes are taken again", async () => {
    const clock = manualClock();
    const disk = smallDisk(nodeDisk, 20_000);
    const { engine, next } = await openWatched(temporaryDirectory(), { clock, disk, reserveBytes: 4_000 });
    await engine.commit({ advance: { ...sms, to: 0 } });
    let stored = 0;
    const fill = async () => {
      for (;;) {
        await engine.commit(append("m".repeat(100)));
        stored++;
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: "STORAGE_FULL" });
    expect(await engine.range("t", 0)).toEqual({ start: 0, end: stored });

    const lease = await engine.acquireLease({ ...sms, member: "m", ttlMs: 1e6 });
    await engine.commit({ ...(lease && { fence: lease }), advance: { ...sms, to: stored } });
    clock.advance(500);
    await expect(engine.commit(append("refused"))).rejects.toMatchObject({ code: "STORAGE_FULL" });
    await next("segments removed");
    await expect
      .poll(() => {
        clock.advance(500);
        return engine.commit(append("stored")).then(
          () => "stored",
          () => "refused",
        );
      })
      .toBe("stored");
    expect((await engine.range("t", 0)).start).toBeGreaterThan(0);
  });

  it("keeps every message that a known group has yet to read, on whichever partition it stands back", async () => {
    const directory = temporaryDirectory();
    const { engine, next, reports } = await openWatched(directory, smallLog);
    await engine.commit({ advance: { ...sms, to: 0 } });
    await publish(engine, numbers(20), 1);
    await publish(engine, numbers(20), 0);
    await engine.commit({ advance: { ...sms, to: 20 } });
    await fillSegment(engine, directory);
    await next("snapshot taken");
    await fillSegment(engine, directory);
    await next("snapshot taken");
    expect(reports.map(({ kind }) => kind)).not.toContain("segments removed");
    expect(await engine.range("t", 1)).toEqual({ start: 0, end: 20 });

    await engine.commit({ advance: { ...sms, partition: 1, to: 13 } });
    await fillSegment(engine, directory);
    await next("segments removed");
    const { start } = await engine.range("t", 1);
    expect(start).toBeGreaterThan(0);
    expect(start).toBeLessThanOrEqual(13);
    expect(await engine.committedOffset({ ...sms, partition: 1 })).toBe(13);

    // What it never read of the fillers holds the rest back until it is retired.
    await engine.commit({ advance: { ...sms, partition: 1, to: 20 } });
    await fillSegment(engine, directory);
    await engine.commit({ retire: { group: "sms", topic: "t" } });
    await fillSegment(engine, directory);
    await fillSegment(engine, directory);
    await next("segments removed");
    expect((await engine.range("t", 1)).start).toBe(20);
  });

  it("moves the start of a ring as well, when what is left of it is old", async () => {
    const directory = temporaryDirectory();
    const { engine, next } = await openWatched(directory, smallLog);
    await engine.declareTopics([{ name: "ring", partitions: 1, ringMessages: 5 }]);
    for (const text of numbers(8)) {
      await engine.commit({ append: [{ topic: "ring", partition: 0, key: "", value: Buffer.from(text) }] });
    }
    expect(await engine.range("ring", 0)).toEqual({ start: 3, end: 8 });
    for (let round = 0; round < 4; round++) await fillSegment(engine, directory);
    await next("segments removed");
    expect(await engine.range("ring", 0)).toEqual({ start: 8, end: 8 });
    await engine.commit({ append: [{ topic: "ring", partition: 0, key: "", value: Buffer.from("new") }] });
    expect(await engine.range("ring", 0)).toEqual({ start: 8, end: 9 });
  });

  it("commits what it keeps before it removes a file, and removes after a failure at the next start", async () => {
    const directory = temporaryDirectory();
    const disk = faultyDisk(nodeDisk);
    const { engine, next } = await openWatched(directory, { ...smallLog, disk });
    const starts: Promise<number>[] = [];
    disk.before = (step, name) => {
      if (step !== "remove" || !name.endsWith(".segment")) return;
      starts.push(engine.range("t", 0).then(({ start }) => start));
      throw Object.assign(new Error("EBUSY"), { code: "EBUSY" });
    };
    await publish(engine, numbers(40));
    const { fileNames, reason } = await next("removal failed");
    expect(reason).toContain("EBUSY");
    expect(await Promise.all(starts)).not.toContain(0);
    await engine.close();
    disk.before = () => {};
    const names = () => segmentPaths(directory).map((path) => basename(path));
    expect(names()).toEqual(expect.arrayContaining([...fileNames]));
    const again = await openLog(directory, { ...smallSegments });
    for (const name of fileNames) expect(names()).not.toContain(name);
    const { start } = await again.range("t", 0);
    expect(await allTexts(again)).toEqual(numbers(40).slice(start));
  });
});

describe("what may go", () => {
  /** One message in each of two sealed segments. */
  function log() {
    const model = new Model<PartitionMessages>({ now: () => 0, createStore: () => new PartitionMessages() });
    const segments = new SegmentList(1, model);
    const fold = new LogFold(model, segments);
    fold.topic({ name: "t", partitions: 2 });
    for (const segment of [0, 1, 2]) {
      segments.written({ segment, position: 32 }, 100, 1000 * segment);
      fold.message(0, 0, segment);
    }
    return { model, segments, fold };
  }
  const everything = { ms: 1e9, bytes: 0 };
  const first = ({ model, segments }: ReturnType<typeof log>, underWay: readonly Commit[] = [], coveredTo = 2) =>
    firstRetained(everything, { model, segments, underWay, coveredTo, nowMs: 3000 });

  it("is nothing that no snapshot covers", () => {
    expect(first(log())).toBe(2);
    expect(first(log(), [], 1)).toBe(1);
    expect(first(log(), [], 0)).toBeUndefined();
  });

  it("is nothing that a group needs which a commit under way makes known", () => {
    expect(first(log(), [{ advance: { ...sms, to: 0 } }])).toBeUndefined();
    expect(first(log(), [{ advance: { ...sms, partition: 1, to: 0 } }])).toBeUndefined();
  });

  it("is nothing that a group needs which a commit under way sets back", () => {
    const made = log();
    made.fold.advance("sms", 0, 0, 3);
    expect(first(made)).toBe(2);
    expect(first(made, [{ advance: { ...sms, to: 3 } }, { advance: { ...sms, to: 1 } }])).toBe(1);
    expect(first(made, [{ advance: { ...sms, to: 1 } }, { advance: { ...sms, to: 3 } }])).toBe(1);
  });
});

describe("a read that races with a removal", () => {
  /** A log whose next read of a file waits for `resume`. */
  async function opened(options: { readonly segmentBytes: number; readonly bytes: number }) {
    const directory = temporaryDirectory();
    const resumed = Promise.withResolvers<void>();
    let paused: (() => void) | undefined;
    const disk: Disk = {
      ...nodeDisk,
      open(path, mode) {
        const file = nodeDisk.open(path, mode);
        return {
          ...file,
          async read(into, position) {
            if (paused !== undefined) {
              paused();
              paused = undefined;
              await resumed.promise;
            }
            return file.read(into, position);
          },
        };
      },
    };
    const { segmentBytes, bytes } = options;
    const log = await openWatched(directory, { segmentBytes, retention: { bytes }, disk, memoryBytes: 1 });
    const pauseNext = () =>
      new Promise<void>((resolve) => {
        paused = resolve;
      });
    return { ...log, directory, pauseNext, resume: resumed.resolve };
  }

  it("goes on in the file it has open, and ends before what is gone", async () => {
    const { engine, next, pauseNext, resume } = await opened({ segmentBytes: 700, bytes: 1500 });
    await publish(engine, numbers(3));
    const paused = pauseNext();
    const reading = engine.read("t", 0, 0, { maxMessages: 100 });
    await paused;
    await publish(engine, numbers(40).slice(3));
    await next("segments removed");
    const { start } = await engine.range("t", 0);
    expect(start).toBeGreaterThan(0);
    resume();
    const texts = (await reading).map(({ value }) => value.toString());
    expect(texts.length).toBeGreaterThanOrEqual(1);
    expect(texts).toEqual(numbers(40).slice(0, texts.length));

    const fromGone = await engine.read("t", 0, 0, { maxMessages: 100 });
    expect(fromGone[0]?.offset).toBeGreaterThanOrEqual(start);
  });

  it("begins with the oldest message left when the first one it wants goes before it is found", async () => {
    const { engine, directory, next, pauseNext, resume } = await opened({ segmentBytes: 900_000, bytes: 100_000 });
    // So far behind the index entry of the one before it that another stretch of the file has to be read.
    await publish(engine, ["first"], 1);
    for (let filler = 0; filler < 6; filler++) await publish(engine, ["f".repeat(100_000)]);
    await publish(engine, ["second"], 1);
    const paused = pauseNext();
    const reading = engine.read("t", 1, 1, { maxMessages: 9 });
    await paused;
    await fillSegment(engine, directory, "f".repeat(100_000));
    await publish(engine, ["third"], 1);
    await next("segments removed");
    expect(await engine.range("t", 1)).toEqual({ start: 2, end: 3 });
    resume();
    expect((await reading).map(({ value }) => value.toString())).toEqual(["third"]);
  });
});
