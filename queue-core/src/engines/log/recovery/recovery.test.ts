import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { batchHeaderBytes, batchMagicBytes, sealBatch, segmentHeaderBytes } from "../format/layout.ts";
import { acquireLockFile, spaceOfThisProcess } from "../lock-file.ts";
import {
  allTexts,
  append,
  batchesOf,
  contentsOf,
  edit,
  flip,
  makeLog,
  numbers,
  openLog,
  refusalOf,
  segmentPaths,
  temporaryDirectory,
} from "../log-bed.ts";
import { openLogEngine } from "../open-log-engine.ts";
import { nodeDisk } from "../writing/disk.ts";
import { type DiskStep, failing, faultyDisk } from "../writing/faulty-disk.ts";

async function made(): Promise<{ directory: string; segments: string[]; newest: string; sealed: string }> {
  const directory = temporaryDirectory();
  await makeLog(directory);
  const segments = segmentPaths(directory);
  expect(segments.length).toBeGreaterThanOrEqual(3);
  return { directory, segments, newest: segments.at(-1) as string, sealed: segments[1] as string };
}

async function expectRefused(directory: string, code: string, path: string, position: number): Promise<void> {
  const before = contentsOf(directory);
  const error = await refusalOf(openLogEngine({ directory, disk: nodeDisk }));
  expect(error.code).toBe(code);
  expect(error.message).toContain(`${path} at byte ${position}`);
  expect(contentsOf(directory)).toEqual(before);
}

describe("recovery, row by row", () => {
  it("A: no segment is a new log, with its name synced before it serves", async () => {
    const steps: DiskStep[] = [];
    const disk = faultyDisk(nodeDisk);
    disk.before = (step, name) => {
      const isAbove = step === "syncDirectory" && name !== basename(directory);
      if (!isAbove && !name.startsWith("reserve")) steps.push(step);
    };
    const directory = temporaryDirectory();
    const engine = await openLogEngine({ directory, disk });
    expect(steps).toEqual([
      "syncDirectory",
      "create",
      "write",
      "datasync",
      "rename",
      "syncDirectory",
      "truncate",
      "write",
      "datasync",
    ]);
    expect(engine.topics()).toEqual([]);
    await engine.close();
  });

  it("B: a log that ends with a whole batch goes on there, synced before it serves", async () => {
    const { directory, newest } = await made();
    const steps: string[] = [];
    const disk = faultyDisk(nodeDisk);
    disk.before = (step, name) => steps.push(`${step} ${name}`);
    const engine = await openLogEngine({ directory, disk });
    expect(steps.slice(0, 3)).toEqual([
      `write ${basename(newest)}`,
      `datasync ${basename(newest)}`,
      `syncDirectory ${basename(directory)}`,
    ]);
    expect(await allTexts(engine)).toEqual(numbers(30));
    await engine.commit(append("after"));
    expect(await allTexts(engine)).toEqual([...numbers(30), "after"]);
    await engine.close();
  });

  it("B: a newest segment without a batch is gone on with", async () => {
    const { directory, newest } = await made();
    const lost = batchesOf(newest).length;
    truncateSync(newest, segmentHeaderBytes);
    const engine = await openLog(directory);
    const texts = await allTexts(engine);
    expect(texts.length).toBeGreaterThanOrEqual(30 - lost);
    expect(texts).toEqual(numbers(texts.length));
    await engine.commit(append("after"));
    expect(segmentPaths(directory).at(-1)).toBe(newest);
  });

  it("B: a hole behind the last batch means nothing: it is cut off, and that synced", async () => {
    const { directory, newest } = await made();
    const size = readFileSync(newest).length;
    edit(newest, (bytes) => Buffer.concat([bytes, Buffer.alloc(300_000)]));
    const steps: string[] = [];
    const disk = faultyDisk(nodeDisk);
    disk.before = (step, name) => steps.push(`${step} ${name}`);
    const engine = await openLog(directory, { disk });
    const name = basename(newest);
    expect(steps.slice(0, 3)).toEqual([`truncate ${name}`, `write ${name}`, `datasync ${name}`]);
    await engine.close();
    expect(readFileSync(newest).length).toBeLessThan(size + 1_000);
    expect(await allTexts(await openLog(directory))).toEqual(numbers(30));
  });

  it("C: a torn last batch is cut off at every length, and never more than it", async () => {
    const { directory, newest } = await made();
    const whole = readFileSync(newest);
    const last = batchesOf(newest).at(-1) as number;
    for (let length = last; length < whole.length; length += 7) {
      writeFileSync(newest, whole.subarray(0, length));
      const engine = await openLogEngine({ directory, disk: nodeDisk });
      expect(await allTexts(engine)).toEqual(numbers(29));
      await engine.close();
      writeFileSync(newest, whole);
      for (const later of segmentPaths(directory)) if (later > newest) rmSync(later);
    }
  });

  it.each([
    ["its header", 3],
    ["its length", 8],
    ["its CRC", 41],
    ["its records", batchHeaderBytes + 5],
  ])("C: a last batch torn in %s is cut off and synced", async (_where, at) => {
    const { directory, newest } = await made();
    const last = batchesOf(newest).at(-1) as number;
    edit(newest, flip(last + at));
    const steps: string[] = [];
    const disk = faultyDisk(nodeDisk);
    disk.before = (step) => steps.push(step);
    const engine = await openLogEngine({ directory, disk });
    expect(steps.slice(0, 4)).toEqual(["truncate", "write", "datasync", "syncDirectory"]);
    expect(await allTexts(engine)).toEqual(numbers(29));
    await engine.close();
  });

  it("C: a torn batch whose bytes imitate a whole batch of another log is cut off", async () => {
    const { directory, newest } = await made();
    const whole = readFileSync(newest);
    const imitation = Buffer.from(whole.subarray(batchesOf(newest).at(-1)));
    sealBatch(imitation, Buffer.from("another!"));
    writeFileSync(newest, Buffer.concat([whole, Buffer.alloc(60, 1), imitation]));
    const engine = await openLog(directory);
    expect(await allTexts(engine)).toEqual(numbers(30));
  });

  it("D: a damaged batch before a whole one is CORRUPT, even with its length destroyed", async () => {
    for (const at of [0, 8, 30, batchHeaderBytes + 2]) {
      const { directory, newest } = await made();
      const batches = batchesOf(newest);
      const damaged = batches.at(-2) as number;
      edit(newest, flip(damaged + at));
      await expectRefused(directory, "CORRUPT", newest, damaged);
    }
  });

  it("E: any damage in a sealed segment is CORRUPT", async () => {
    const flipped = await made();
    const last = batchesOf(flipped.sealed).at(-1) as number;
    edit(flipped.sealed, flip(last + 50));
    await expectRefused(flipped.directory, "CORRUPT", flipped.sealed, last);

    const short = await made();
    const lastOfShort = batchesOf(short.sealed).at(-1) as number;
    edit(short.sealed, (bytes) => bytes.subarray(0, bytes.length - 1));
    await expectRefused(short.directory, "CORRUPT", short.sealed, lastOfShort);
  });

  it("E: a hole in a sealed segment is CORRUPT", async () => {
    const { directory } = await made();
    const [sealed = ""] = segmentPaths(directory);
    const size = readFileSync(sealed).length;
    edit(sealed, (bytes) => Buffer.concat([bytes, Buffer.alloc(100)]));
    await expectRefused(directory, "CORRUPT", sealed, size);
  });

  it("F: a damaged, short or foreign segment header is CORRUPT", async () => {
    for (const change of [flip(0), flip(9), flip(17), flip(30), (bytes: Buffer) => bytes.subarray(0, 20)]) {
      const { directory, newest } = await made();
      edit(newest, change);
      await expectRefused(directory, "CORRUPT", newest, 0);
    }
    const { directory, newest } = await made();
    const other = await made();
    edit(newest, () => readFileSync(other.newest));
    await expectRefused(directory, "CORRUPT", newest, 0);
  });

  it("G: a segment or batch of another format is UNKNOWN_FORMAT", async () => {
    const { directory, newest } = await made();
    edit(newest, (bytes) => {
      bytes.writeUInt16LE(2, 4);
      return bytes;
    });
    await expectRefused(directory, "UNKNOWN_FORMAT", newest, 0);

    const second = await made();
    const position = batchesOf(second.newest)[0] as number;
    edit(second.newest, (bytes) => {
      bytes.writeUInt16LE(2, position + 4);
      reseal(bytes, position);
      return bytes;
    });
    await expectRefused(second.directory, "UNKNOWN_FORMAT", second.newest, position);
  });

  it("H: a missing segment or a missing batch is CORRUPT", async () => {
    const { directory, segments } = await made();
    rmSync(segments[1] as string);
    await expectRefused(directory, "CORRUPT", segments[2] as string, 0);

    const first = await made();
    rmSync(first.segments[0] as string);
    await expectRefused(first.directory, "CORRUPT", first.segments[1] as string, 0);

    const gap = await made();
    const [from = 0, to = 0] = batchesOf(gap.sealed);
    edit(gap.sealed, (bytes) => Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]));
    await expectRefused(gap.directory, "CORRUPT", gap.sealed, from);
  });

  it("I: a whole batch whose records make no sense is CORRUPT", async () => {
    const { directory, newest } = await made();
    const position = batchesOf(newest).at(-1) as number;
    edit(newest, (bytes) => {
      bytes[position + batchHeaderBytes] = 0xff;
      reseal(bytes, position);
      return bytes;
    });
    await expectRefused(directory, "CORRUPT", newest, position);
  });

  it("J: a segment that never got its name is removed", async () => {
    const { directory } = await made();
    const unfinished = join(directory, "0000000000009999.segment.unfinished");
    writeFileSync(unfinished, "half a header");
    const engine = await openLog(directory);
    expect(Object.keys(contentsOf(directory))).not.toContain(basename(unfinished));
    expect(await allTexts(engine)).toEqual(numbers(30));
  });

  it("K: the lock of a live process is LOCKED, and names it", async () => {
    const directory = temporaryDirectory();
    const lock = await acquireLockFile(directory);
    const error = await refusalOf(openLogEngine({ directory }));
    expect(error.code).toBe("LOCKED");
    expect(error.message).toContain(`process ${process.pid} uses ${directory}`);
    lock.release();
    const engine = await openLogEngine({ directory });
    await engine.close();
  });

  const here = { space: spaceOfThisProcess() };
  it.each([
    ["of a process that is gone", JSON.stringify({ ...here, pid: 2 ** 22 + 1, started: "x" })],
    [
      "of a process whose number another one has now",
      JSON.stringify({ ...here, pid: process.pid, started: "long ago" }),
    ],
    ["left empty by a power cut", ""],
  ])("L: a lock %s is taken over", async (_what, content) => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "lock"), content);
    const lock = await acquireLockFile(directory);
    expect(JSON.parse(readFileSync(join(directory, "lock"), "utf8"))).toMatchObject({ pid: process.pid });
    lock.release();
    expect(Object.keys(contentsOf(directory))).toEqual([]);
  });

  it("W: a directory with other files and no log is refused, and nothing in it is touched", async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "thesis.unfinished"), "ten years of work");
    const before = contentsOf(directory);
    const error = await refusalOf(openLogEngine({ directory }));
    expect(error.code).toBe("INVALID_ARGUMENT");
    expect(error.message).toContain("thesis.unfinished");
    expect(contentsOf(directory)).toEqual(before);
    rmSync(join(directory, "thesis.unfinished"));
    for (const name of ["lost+found", ".DS_Store", "reserve.unfinished"]) writeFileSync(join(directory, name), "");
    await (await openLog(directory)).close();
  });

  it("X: other files beside a log are left alone, whatever their names end with", async () => {
    const { directory } = await made();
    const others = { "thesis.unfinished": "ten years of work", "5.segment.unfinished": "not one of ours" };
    for (const [name, content] of Object.entries(others)) writeFileSync(join(directory, name), content);
    expect(await allTexts(await openLog(directory))).toEqual(numbers(30));
    for (const [name, content] of Object.entries(others)) {
      expect(readFileSync(join(directory, name), "utf8")).toBe(content);
    }
  });

  it("is refused without a trace when a repair cannot be synced", async () => {
    const { directory, newest } = await made();
    edit(newest, (bytes) => bytes.subarray(0, bytes.length - 3));
    const disk = faultyDisk(nodeDisk);
    disk.before = failing("datasync", "EIO");
    await expect(openLogEngine({ directory, disk })).rejects.toThrow("EIO");
    const engine = await openLog(directory);
    expect(await allTexts(engine)).toEqual(numbers(29));
  });
});

function reseal(bytes: Buffer, position: number): void {
  expect(bytes.subarray(position, position + 4).equals(batchMagicBytes)).toBe(true);
  const length = bytes.readUInt32LE(position + 8);
  sealBatch(bytes.subarray(position, position + length), bytes.subarray(8, 16));
}
