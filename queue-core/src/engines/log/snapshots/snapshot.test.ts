import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import type { Engine } from "../../../engine.ts";
import { manualClock } from "../../clock.ts";
import { allTexts, append, numbers, openLog, segmentPaths, temporaryDirectory } from "../log-bed.ts";
import { type Disk, nodeDisk } from "../writing/disk.ts";
import { type DiskStep, faultyDisk } from "../writing/faulty-disk.ts";
import { fillSegment, openWatched, smallSegments, snapshotPaths } from "./snapshot-bed.ts";

const put = (key: string, value: string | null, namespace = "n", expiresAtMs?: number) => ({
  put: [
    {
      namespace,
      key,
      value: value === null ? null : Buffer.from(value),
      ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    },
  ],
});

async function scan(engine: Engine, namespace = "n"): Promise<string[]> {
  const entries = await engine.scanState(namespace, { limit: 10_000 });
  return entries.map(({ key, value }) => `${key}=${value}`);
}

/** Notes which part of which file was read. */
function watchedDisk(read: (name: string, bytes: number) => void): Disk {
  return {
    ...nodeDisk,
    open(path, mode) {
      const file = nodeDisk.open(path, mode);
      return {
        ...file,
        async read(into, position) {
          const bytes = await file.read(into, position);
          read(basename(path), bytes);
          return bytes;
        },
      };
    },
  };
}

describe("a snapshot", () => {
  it("is taken after segments were sealed, and a start reads the newest one and what came after it", async () => {
    const directory = temporaryDirectory();
    const { engine, next } = await openWatched(directory);
    for (let index = 0; index < 60; index++) {
      await engine.commit({ ...append(String(index)), ...put(`k${index % 7}`, String(index)) });
    }
    await fillSegment(engine, directory);
    await next("snapshot taken");
    await engine.close();

    const [snapshot = ""] = snapshotPaths(directory);
    expect(snapshotPaths(directory)).toHaveLength(1);
    const covered = segmentPaths(directory).filter(
      (path) => basename(path).slice(0, 16) < basename(snapshot).slice(0, 16),
    );
    expect(covered.length).toBeGreaterThan(2);
    const readBytes = new Map<string, number>();
    const disk = watchedDisk((name, bytes) => readBytes.set(name, (readBytes.get(name) ?? 0) + bytes));
    const again = await openLog(directory, { ...smallSegments, disk, snapshotBytes: 1e9, memoryBytes: 1 });
    for (const path of covered) expect(readBytes.get(basename(path))).toBe(32);
    expect(await allTexts(again)).toEqual(numbers(60));
    expect(await scan(again)).toEqual(["k0=56", "k1=57", "k2=58", "k3=59", "k4=53", "k5=54", "k6=55"]);
  });

  it("follows the one before it: puts, overwrites, deletes and expiries of many rounds, over several blocks", async () => {
    const directory = temporaryDirectory();
    const clock = manualClock();
    const options = { clock, segmentBytes: 100_000 };
    let watched = await openWatched(directory, options);
    const expected = new Map<string, string>();
    const text = "x".repeat(300);
    for (let round = 0; round < 8; round++) {
      const { engine } = watched;
      const changes = Array.from({ length: 120 }, (_, index) => {
        const key = `${(index * 37 + round * 11) % 400}`;
        const value = index % 5 === 0 ? null : `${round}${text}`;
        if (value === null) expected.delete(key);
        else expected.set(key, value);
        return put(key, value, `n${Number(key) % 3}`);
      });
      await Promise.all(changes.map((change) => engine.commit(change)));
      await engine.commit(put(`brief${round}`, text, "n1", engine.now() + 10));
      clock.advance(1000);
      await fillSegment(engine, directory, "f".repeat(20_000));
      await watched.next("snapshot taken");
      const [path = ""] = snapshotPaths(directory);
      expect(readFileSync(path).includes("brief")).toBe(false);
      if (round % 4 !== 3) continue;
      await engine.close();
      watched = await openWatched(directory, options);
      for (const rest of [0, 1, 2]) {
        const own = [...expected].filter(([key]) => Number(key) % 3 === rest);
        const lines = own.sort(([left], [right]) => (left < right ? -1 : 1)).map(([key, value]) => `${key}=${value}`);
        expect(await scan(watched.engine, `n${rest}`)).toEqual(lines);
      }
      expect(watched.engine.statistics().stateEntries).toBe(expected.size);
    }
  });

  it("keeps offsets, groups, retirements, rings, time and epochs", async () => {
    const directory = temporaryDirectory();
    const clock = manualClock(2_000_000);
    const { engine, next } = await openWatched(directory, { clock });
    await engine.declareTopics([{ name: "ring", partitions: 2, ringMessages: 3 }]);
    for (const text of numbers(9)) {
      await engine.commit({ append: [{ topic: "ring", partition: 1, key: "", value: Buffer.from(text) }] });
      await engine.commit(append(text, 2));
    }
    const ref = { group: "g", topic: "t", partition: 2 };
    await engine.commit({ advance: { ...ref, to: 4 } });
    await engine.commit({ advance: { ...ref, group: "gone", to: 4 } });
    await engine.commit({ retire: { group: "gone", topic: "t" } });
    const lease = await engine.acquireLease({ ...ref, member: "m", ttlMs: 1000 });
    const { sequence, timeMs } = await engine.commit({});
    await fillSegment(engine, directory);
    await next("snapshot taken");
    await engine.close();

    const again = await openLog(directory, { clock: manualClock(1_000_000), memoryBytes: 1, snapshotBytes: 1e9 });
    expect(again.now()).toBeGreaterThanOrEqual(timeMs);
    expect(await again.range("ring", 1)).toEqual({ start: 6, end: 9 });
    expect((await again.read("ring", 1, 0, { maxMessages: 9 })).map(({ offset }) => offset)).toEqual([6, 7, 8]);
    expect(await again.committedOffset(ref)).toBe(4);
    expect(await again.committedOffset({ ...ref, group: "gone" })).toBe(0);
    const next_ = await again.acquireLease({ ...ref, member: "m", ttlMs: 1000 });
    expect(next_?.epoch).toBeGreaterThan(lease?.epoch as number);
    const receipt = await again.commit(append("after", 2));
    expect(receipt.offsets).toEqual([9]);
    expect(receipt.sequence).toBeGreaterThan(sequence);
  });

  it("waits until as much was sealed as asked for, and half as much as the last one has", async () => {
    const directory = temporaryDirectory();
    const { engine, next, reports } = await openWatched(directory, { segmentBytes: 2000, snapshotBytes: 5000 });
    await engine.commit(put("large", "x".repeat(20_000)));
    await fillSegment(engine, directory);
    const { bytes } = await next("snapshot taken");
    expect(bytes).toBeGreaterThan(20_000);
    for (let sealed = 0; sealed < bytes / 2 - 2000; sealed += 2000) await fillSegment(engine, directory);
    expect(reports).toHaveLength(1);
    await fillSegment(engine, directory);
    await fillSegment(engine, directory);
    await next("snapshot taken");
  });

  it("is taken at a start when the last process did not come to it", async () => {
    const directory = temporaryDirectory();
    const first = await openWatched(directory, { snapshotBytes: 1e9 });
    await fillSegment(first.engine, directory);
    await fillSegment(first.engine, directory);
    await first.engine.close();
    expect(snapshotPaths(directory)).toEqual([]);
    const { next } = await openWatched(directory);
    await next("snapshot taken");
  });

  it("is taken by a thread of its own, which is gone when the log is closed", async () => {
    const directory = temporaryDirectory();
    const { engine, next } = await openWatched(directory, { disk: undefined });
    await engine.commit(put("a", "1"));
    await fillSegment(engine, directory);
    await next("snapshot taken");
    await fillSegment(engine, directory);
    await next("snapshot taken");
    await fillSegment(engine, directory);
    await engine.close();
    const again = await openWatched(directory, { disk: undefined });
    expect(await scan(again.engine)).toEqual(["a=1"]);
    await again.engine.close();
  });
});

describe("a snapshot that fails", () => {
  const cases: [DiskStep, string][] = [
    ["create", "ENOSPC"],
    ["write", "ENOSPC"],
    ["write", "EIO"],
    ["datasync", "EIO"],
    ["rename", "EIO"],
    ["syncDirectory", "EIO"],
  ];
  it.each(cases)(
    "on %s with %s harms nothing, is reported, removed, and taken after the next seal",
    async (step, code) => {
      const directory = temporaryDirectory();
      const disk = faultyDisk(nodeDisk);
      const { engine, next } = await openWatched(directory, { disk });
      await engine.commit({ ...append("kept"), ...put("a", "1") });
      await fillSegment(engine, directory);
      await next("snapshot taken");
      const before = snapshotPaths(directory);

      let renamed = false;
      disk.before = (found, name) => {
        if (found === "rename") renamed = name.includes(".snapshot");
        const isOfSnapshot = name.includes(".snapshot") || (found === "syncDirectory" && renamed);
        if (found === step && isOfSnapshot) throw Object.assign(new Error(`${code} on ${step}`), { code });
      };
      await engine.commit(put("b", "2"));
      await fillSegment(engine, directory);
      const failed = await next("snapshot failed");
      expect(failed.reason).toContain(code);
      expect(snapshotPaths(directory)).toEqual(before);
      await engine.commit(append("after"));

      disk.before = () => {};
      await fillSegment(engine, directory);
      await next("snapshot taken");
      await engine.close();
      const again = await openLog(directory);
      expect(await scan(again)).toEqual(["a=1", "b=2"]);
      expect(await allTexts(again)).toEqual(["kept", "after"]);
    },
  );

  it("because a sealed segment rotted says so, with its place, and the one before it stays", async () => {
    const directory = temporaryDirectory();
    let rot = false;
    const disk: Disk = {
      ...nodeDisk,
      open(path, mode) {
        const file = nodeDisk.open(path, mode);
        return {
          ...file,
          async read(into, position) {
            const bytes = await file.read(into, position);
            if (rot && path.endsWith(".segment")) into[100] = (into[100] as number) ^ 1;
            return bytes;
          },
        };
      },
    };
    const { engine, next } = await openWatched(directory, { disk });
    await fillSegment(engine, directory);
    await next("snapshot taken");
    const before = snapshotPaths(directory);
    rot = true;
    await fillSegment(engine, directory);
    expect((await next("snapshot failed")).reason).toMatch(
      /\.segment at byte \d+: a batch of a sealed segment is damaged/,
    );
    expect(snapshotPaths(directory)).toEqual(before);
  });

  it("because the log was closed leaves no more than an unfinished file, which the next start removes", async () => {
    const directory = temporaryDirectory();
    const { engine, reports } = await openWatched(directory);
    await engine.commit(put("a", "1"));
    await fillSegment(engine, directory);
    await engine.close();
    expect(reports).toEqual([]);
    expect(snapshotPaths(directory).filter((path) => path.endsWith(".snapshot"))).toEqual([]);
    const again = await openLog(directory, { snapshotBytes: 1e9 });
    expect(snapshotPaths(directory)).toEqual([]);
    expect(await scan(again)).toEqual(["a=1"]);
  });
});
