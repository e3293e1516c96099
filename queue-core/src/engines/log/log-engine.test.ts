import { describe, expect, it } from "vitest";
import type { PartitionRange } from "../../engine.ts";
import { manualClock } from "../clock.ts";
import { allTexts, append, edit, numbers, openLog, refusalOf, segmentPaths, temporaryDirectory } from "./log-bed.ts";
import { openLogEngine } from "./open-log-engine.ts";
import { nodeDisk } from "./writing/disk.ts";
import { failing, faultyDisk } from "./writing/faulty-disk.ts";

describe("durability", () => {
  it("shows a commit to nobody before its batch is synced", async () => {
    const disk = faultyDisk(nodeDisk);
    const engine = await openLog(temporaryDirectory(), { disk });
    const seen: Promise<PartitionRange>[] = [];
    disk.before = (step) => {
      if (step === "datasync") seen.push(engine.range("t", 0));
    };
    await engine.commit(append("a"));
    expect(await Promise.all(seen)).toEqual([{ start: 0, end: 0 }]);
    expect(await engine.range("t", 0)).toEqual({ start: 0, end: 1 });
  });

  it("syncs many commits at once", async () => {
    const engine = await openLog(temporaryDirectory());
    const before = engine.statistics();
    await Promise.all(Array.from({ length: 1000 }, (_, index) => engine.commit(append(String(index)))));
    const after = engine.statistics();
    expect(after.commits - before.commits).toBe(1000);
    expect(after.syncs - before.syncs).toBeLessThanOrEqual(2);
  });

  it("begins segments as they fill, and reads over all of them after a restart", async () => {
    const directory = temporaryDirectory();
    const engine = await openLog(directory, { segmentBytes: 2000 });
    const rounds = Array.from({ length: 40 }, (_, round) => numbers(20).map((text) => `${round}.${text}`));
    for (const texts of rounds) await Promise.all(texts.map((text) => engine.commit(append(text))));
    expect(segmentPaths(directory).length).toBeGreaterThan(5);
    await engine.close();
    const again = await openLog(directory, { segmentBytes: 2000 });
    expect(await allTexts(again)).toEqual(rounds.flat());
  });

  it("never tells a time before the last one in the log, though the clock was set back", async () => {
    const directory = temporaryDirectory();
    const engine = await openLog(directory, { clock: manualClock(2_000_000) });
    const { timeMs } = await engine.commit(append("a"));
    await engine.close();
    const again = await openLog(directory, { clock: manualClock(1_000_000) });
    expect(again.now()).toBeGreaterThanOrEqual(timeMs);
  });
});

describe("a failed write or sync", () => {
  it.each(["write", "datasync"] as const)("on %s poisons the log", async (step) => {
    const directory = temporaryDirectory();
    const disk = faultyDisk(nodeDisk);
    const engine = await openLog(directory, { disk });
    await engine.commit(append("kept"));
    disk.before = failing(step, "EIO", 1);
    const underWay = engine.commit(append("unknown"));
    // The first batch is with the writer from the next microtask on; this commit waits for it in the open batch.
    await Promise.resolve();
    const open = engine.commit(append("never written"));
    const lease = engine.acquireLease({ group: "g", topic: "t", partition: 0, member: "m", ttlMs: 1000 });
    const [first, second, third] = await Promise.all([underWay, open, lease].map(refusalOf));
    expect(first).toMatchObject({ code: "STORAGE_FAILED", outcome: "unknown" });
    expect(second).toMatchObject({ code: "STORAGE_FAILED", outcome: "not_stored" });
    expect(third).toMatchObject({ code: "STORAGE_FAILED" });
    expect((await engine.failed).message).toContain("EIO");
    expect(await refusalOf(engine.commit(append("later")))).toMatchObject({
      code: "STORAGE_FAILED",
      outcome: "not_stored",
    });
    expect(await allTexts(engine)).toEqual(["kept"]);
    await engine.close();
    const texts = await allTexts(await openLog(directory));
    expect([["kept"], ["kept", "unknown"]]).toContainEqual(texts);
  });
});

describe("bounded memory", () => {
  it("serves what fell out of memory from the segments, from every offset", async () => {
    const engine = await openLog(temporaryDirectory(), { memoryBytes: 3000, segmentBytes: 5000 });
    for (let round = 0; round < 30; round++) {
      const texts = numbers(10).map((text) => `${round}.${text}`);
      await Promise.all(texts.map((text, index) => engine.commit(append(text, index % 2))));
    }
    const expected = Array.from({ length: 30 }, (_, round) =>
      [0, 2, 4, 6, 8].map((index) => `${round}.${index}`),
    ).flat();
    expect(await allTexts(engine)).toEqual(expected);
    for (let from = 0; from < 150; from++) {
      const [first] = await engine.read("t", 0, from, { maxMessages: 3 });
      expect([first?.offset, first?.value.toString()]).toEqual([from, expected[from]]);
    }
    const limited = await engine.read("t", 0, 5, { maxMessages: 100, maxBytes: 9 });
    expect(limited.map(({ value }) => value.toString())).toEqual(["1.0", "1.2", "1.4"]);
  });

  it("finds rare messages of a partition among many of another, and messages larger than a read", async () => {
    const directory = temporaryDirectory();
    const engine = await openLog(directory, { memoryBytes: 1 });
    const filler = "f".repeat(30_000);
    const large = "l".repeat(700_000);
    for (let round = 0; round < 12; round++) {
      await engine.commit(append(`rare ${round}`, 1));
      await Promise.all(numbers(3).map(() => engine.commit(append(filler, 0))));
      if (round % 4 === 0) await engine.commit(append(large, 1));
    }
    const expected = Array.from({ length: 12 }, (_, round) =>
      round % 4 === 0 ? [`rare ${round}`, large] : [`rare ${round}`],
    ).flat();
    expect(await allTexts(engine, 1)).toEqual(expected);
    await engine.close();
    const again = await openLog(directory, { memoryBytes: 1 });
    expect(await allTexts(again, 1)).toEqual(expected);
  });

  it("refuses a message that rotted on disk, with its place", async () => {
    const directory = temporaryDirectory();
    const engine = await openLog(directory, { memoryBytes: 1 });
    await engine.commit(append("rotten"));
    await engine.commit(append("last"));
    const [path = ""] = segmentPaths(directory);
    edit(path, (bytes) => {
      bytes.write("ROTTEN", bytes.indexOf("rotten"));
      return bytes;
    });
    const error = await refusalOf(engine.read("t", 0, 0, { maxMessages: 9 }));
    expect(error.code).toBe("CORRUPT");
    expect(error.message).toContain(`${path} at byte `);
  });
});

describe("the writer thread", () => {
  it("stores, orders and restores as the engine does without it", async () => {
    const directory = temporaryDirectory();
    const engine = await openLogEngine({ directory, segmentBytes: 20_000 });
    await engine.declareTopics([{ name: "t", partitions: 4 }]);
    const receipts = await Promise.all(numbers(2000).map((text) => engine.commit(append(text))));
    expect(receipts.map(({ offsets }) => offsets[0])).toEqual(receipts.map((_, index) => index));
    const underWay = numbers(50).map((text) => engine.commit(append(`late ${text}`)));
    await engine.close();
    await Promise.all(underWay);
    const again = await openLogEngine({ directory });
    const expected = [...numbers(2000), ...numbers(50).map((text) => `late ${text}`)];
    expect(await allTexts(again)).toEqual(expected);
    await again.close();
  });

  it("leaves no lock behind when the log cannot be opened", async () => {
    const directory = temporaryDirectory();
    const engine = await openLogEngine({ directory });
    await engine.close();
    const [path = ""] = segmentPaths(directory);
    edit(path, (bytes) => bytes.fill(0, 0, 4));
    for (let round = 0; round < 2; round++) {
      expect((await refusalOf(openLogEngine({ directory }))).code).toBe("CORRUPT");
    }
  });
});
