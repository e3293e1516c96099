import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { BatchEncoder } from "../format/batch-encoder.ts";
import { sealBatch } from "../format/layout.ts";
import {
  allTexts,
  append,
  contentsOf,
  edit,
  flip,
  openLog,
  refusalOf,
  segmentPaths,
  temporaryDirectory,
} from "../log-bed.ts";
import { openLogEngine } from "../open-log-engine.ts";
import { blocksOf, fillSegment, openWatched, snapshotPaths } from "../snapshots/snapshot-bed.ts";
import {
  blockHeaderBytes,
  blockKinds,
  crcSeedOf,
  decodeSnapshotHeader,
  sealBlock,
  snapshotHeaderBytes,
} from "../snapshots/snapshot-layout.ts";
import { nodeDisk } from "../writing/disk.ts";
import { type DiskStep, faultyDisk } from "../writing/faulty-disk.ts";

interface Made {
  readonly directory: string;
  readonly snapshot: string;
  /** All but the last are covered. */
  readonly segments: readonly string[];
}

/** A log of four segments or more, of which a snapshot covers all but the last. */
async function made(retainedBytes = 1e9): Promise<Made> {
  const directory = temporaryDirectory();
  const { engine, next } = await openWatched(directory, { retention: { bytes: retainedBytes } });
  for (let index = 0; index < 20; index++) {
    await engine.commit({
      ...append(String(index)),
      put: [{ namespace: "n", key: `k${index % 5}`, value: Buffer.from(String(index)) }],
    });
  }
  await fillSegment(engine, directory);
  const newest = segmentPaths(directory).at(-1) as string;
  while ((await next("snapshot taken")).fileName.slice(0, 16) !== basename(newest).slice(0, 16)) {
    // Those before it.
  }
  if (retainedBytes < 1e9) await next("segments removed");
  await engine.close();
  const [snapshot = ""] = snapshotPaths(directory);
  expect(snapshotPaths(directory)).toHaveLength(1);
  expect(basename(snapshot).slice(0, 16)).toBe(basename(newest).slice(0, 16));
  return { directory, snapshot, segments: segmentPaths(directory) };
}

async function expectRefused(directory: string, code: string, path: string, position: number): Promise<void> {
  const before = contentsOf(directory);
  const error = await refusalOf(openLogEngine({ directory, disk: nodeDisk, reserveBytes: 64 * 1024 }));
  expect(error.code).toBe(code);
  expect(error.message).toContain(`${path} at byte ${position}`);
  expect(contentsOf(directory)).toEqual(before);
}

async function expectWhole(directory: string): Promise<void> {
  const engine = await openLog(directory, { snapshotBytes: 1e9 });
  expect(await allTexts(engine)).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
  const entries = await engine.scanState("n", { limit: 9 });
  expect(entries.map(({ key, value }) => `${key}=${value}`)).toEqual(["k0=15", "k1=16", "k2=17", "k3=18", "k4=19"]);
}

describe("recovery with a snapshot, row by row", () => {
  it("E: damage in a covered segment is CORRUPT when it is read, with its place", async () => {
    const { directory, segments } = await made();
    const first = segments[0] as string;
    edit(first, (bytes) => flip(bytes.length - 20)(bytes));
    const engine = await openLog(directory, { snapshotBytes: 1e9, memoryBytes: 1 });
    const error = await refusalOf(allTexts(engine));
    expect(error.code).toBe("CORRUPT");
    expect(error.message).toContain(`${first} at byte `);
  });

  it("G: a snapshot of another format is UNKNOWN_FORMAT", async () => {
    const { directory, snapshot } = await made();
    edit(snapshot, (bytes) => {
      bytes.writeUInt16LE(99, 4);
      return bytes;
    });
    await expectRefused(directory, "UNKNOWN_FORMAT", snapshot, 0);
  });

  it("M: a snapshot with any bit flipped is CORRUPT, with its header or the block", async () => {
    const { directory, snapshot } = await made();
    const whole = readFileSync(snapshot);
    const blocks = blocksOf(snapshot);
    expect(blocks).toHaveLength(5);
    for (let position = 0; position < whole.length; position += 13) {
      writeFileSync(snapshot, flip(position)(Buffer.from(whole)));
      const error = await refusalOf(openLogEngine({ directory, disk: nodeDisk, reserveBytes: 64 * 1024 }));
      const place = blocks.findLast((block) => block <= position) ?? 0;
      expect(error.message).toContain(`${snapshot} at byte ${place}`);
      expect(["CORRUPT", "UNKNOWN_FORMAT"]).toContain(error.code);
    }
    writeFileSync(snapshot, flip((blocks[3] as number) + 30)(Buffer.from(whole)));
    await expectRefused(directory, "CORRUPT", snapshot, blocks[3] as number);
    writeFileSync(snapshot, whole);
    await expectWhole(directory);
  });

  it("M: a snapshot that is cut off, lacks a block or goes on after its end is CORRUPT", async () => {
    const { directory, snapshot } = await made();
    const whole = readFileSync(snapshot);
    const blocks = blocksOf(snapshot);
    for (const length of [10, snapshotHeaderBytes, ...blocks.slice(1), whole.length - 1]) {
      writeFileSync(snapshot, whole.subarray(0, length));
      await expectRefused(
        directory,
        "CORRUPT",
        snapshot,
        length < snapshotHeaderBytes ? 0 : (blocks.findLast((block) => block <= length) as number),
      );
    }
    const [, second = 0, third = 0] = blocks;
    writeFileSync(snapshot, Buffer.concat([whole.subarray(0, second), whole.subarray(third)]));
    await expectRefused(directory, "CORRUPT", snapshot, second);
    writeFileSync(snapshot, Buffer.concat([whole, Buffer.of(0)]));
    await expectRefused(directory, "CORRUPT", snapshot, whole.length);
  });

  it("N: a snapshot of another name or of another log is CORRUPT", async () => {
    const renamed = await made();
    const other = join(renamed.directory, "0000000000000001.snapshot");
    renameSync(renamed.snapshot, other);
    await expectRefused(renamed.directory, "CORRUPT", other, 16);

    const one = await made();
    const another = await made();
    copyFileSync(another.snapshot, one.snapshot);
    await expectRefused(one.directory, "CORRUPT", one.snapshot, 8);
  });

  it("O: a snapshot that never got its name is removed", async () => {
    const { directory, snapshot } = await made();
    writeFileSync(`${snapshot}.unfinished`, "half a header");
    await expectWhole(directory);
    expect(snapshotPaths(directory)).toEqual([snapshot]);
  });

  it("P: an older snapshot beside the newest is removed, once the newest one's name is synced", async () => {
    const { directory, snapshot } = await made();
    const older = join(directory, "0000000000000002.snapshot");
    writeFileSync(older, "whatever it holds");
    const steps: string[] = [];
    const disk = faultyDisk(nodeDisk);
    disk.before = (step: DiskStep, name) => steps.push(`${step} ${name}`);
    const engine = await openLogEngine({ directory, disk, snapshotBytes: 1e9, reserveBytes: 64 * 1024 });
    await engine.close();
    expect(snapshotPaths(directory)).toEqual([snapshot]);
    const removed = steps.indexOf(`remove ${basename(older)}`);
    expect(removed).toBeGreaterThan(steps.indexOf(`syncDirectory ${basename(directory)}`));
    expect(steps.indexOf(`syncDirectory ${basename(directory)}`)).toBeGreaterThanOrEqual(0);
  });

  it("Q: a segment older than the oldest kept one is removed, whatever it holds", async () => {
    const { directory, segments } = await made(700);
    const older = join(directory, "0000000000000000.segment");
    expect(segments).not.toContain(older);
    writeFileSync(older, "left over");
    const engine = await openLog(directory, { snapshotBytes: 1e9 });
    expect(segmentPaths(directory)).not.toContain(older);
    expect((await engine.range("t", 0)).start).toBeGreaterThan(0);
  });

  it("R: a covered segment that is missing, or of another size or header, is CORRUPT", async () => {
    const missing = await made();
    rmSync(missing.segments[1] as string);
    await expectRefused(missing.directory, "CORRUPT", missing.segments[1] as string, 0);

    const short = await made();
    let size = 0;
    edit(short.segments[1] as string, (bytes) => {
      size = bytes.length;
      return bytes.subarray(0, size - 1);
    });
    await expectRefused(short.directory, "CORRUPT", short.segments[1] as string, size - 1);

    const long = await made();
    edit(long.segments[1] as string, (bytes) => {
      size = bytes.length;
      return Buffer.concat([bytes, Buffer.of(0)]);
    });
    await expectRefused(long.directory, "CORRUPT", long.segments[1] as string, size);

    const damaged = await made();
    edit(damaged.segments[0] as string, flip(9));
    await expectRefused(damaged.directory, "CORRUPT", damaged.segments[0] as string, 0);

    const foreign = await made();
    copyFileSync(damaged.segments[1] as string, foreign.segments[1] as string);
    await expectRefused(foreign.directory, "CORRUPT", foreign.segments[1] as string, 8);

    const swapped = await made();
    copyFileSync(swapped.segments[0] as string, swapped.segments[1] as string);
    await expectRefused(swapped.directory, "CORRUPT", swapped.segments[1] as string, 16);
  });

  it("S: a snapshot without the segment right after it is CORRUPT", async () => {
    const { directory, snapshot, segments } = await made();
    rmSync(segments.at(-1) as string);
    await expectRefused(directory, "CORRUPT", snapshot, 16);
  });

  it("T: a segment among the covered ones that the snapshot does not know is CORRUPT", async () => {
    const { directory, segments } = await made();
    const between = join(directory, "0000000000000001.segment");
    expect(segments).not.toContain(between);
    copyFileSync(segments[0] as string, between);
    await expectRefused(directory, "CORRUPT", between, 0);
  });

  it("U: a log that let segments go beyond what its snapshot covers is CORRUPT", async () => {
    const { directory, segments } = await made();
    const newest = segments.at(-1) as string;
    const engine = await openLog(directory, { segmentBytes: 700, snapshotBytes: 1e9 });
    await fillSegment(engine, directory);
    await engine.close();
    const later = segmentPaths(directory).at(-1) as string;
    expect(later).not.toBe(newest);
    appendRecord(later, { retainedFrom: Number(basename(later).slice(0, 16)) });
    await expectRefused(directory, "CORRUPT", later, 0);
  });

  it("U: a log that let segments go and has no snapshot is CORRUPT", async () => {
    const { directory, snapshot, segments } = await made(700);
    rmSync(snapshot);
    await expectRefused(directory, "CORRUPT", segments[0] as string, 0);
  });

  it("V: a whole block of the snapshot whose records make no sense is CORRUPT", async () => {
    const { directory, snapshot } = await made();
    const whole = readFileSync(snapshot);
    const header = decodeSnapshotHeader(whole);
    if (typeof header === "string") throw new Error(header);
    for (const [index, position] of blocksOf(snapshot).entries()) {
      const block = Buffer.from(whole.subarray(position, position + whole.readUInt32LE(position)));
      const kind = Object.values(blockKinds)[index] as 1;
      for (const damage of ["records", "bytes"]) {
        const changed = damage === "bytes" ? Buffer.concat([block, Buffer.of(0)]) : Buffer.from(block);
        if (damage === "records") changed.fill(0xff, blockHeaderBytes);
        sealBlock(changed, kind, block.readUInt32LE(8), crcSeedOf(header), position);
        const rest = whole.subarray(position + block.length);
        writeFileSync(snapshot, Buffer.concat([whole.subarray(0, position), changed, rest]));
        await expectRefused(directory, "CORRUPT", snapshot, position);
      }
    }
  });
});

/** Ends the segment with one more batch of one commit that has that record. */
function appendRecord(path: string, record: { readonly retainedFrom: number }): void {
  edit(path, (bytes) => {
    let last = 32;
    for (let at = last; at < bytes.length; at += bytes.readUInt32LE(at + 8)) last = at;
    const encoder = new BatchEncoder();
    const sequence = Number(bytes.readBigUInt64LE(last + 24)) + bytes.readUInt32LE(last + 12);
    const receipt = { sequence, timeMs: bytes.readDoubleLE(last + 32) + 1000, offsets: [] };
    encoder.add({ commit: {}, receipt, targets: [] }, () => 0, record);
    const batch = encoder.finish(Number(bytes.readBigUInt64LE(last + 16)) + 1).bytes;
    sealBatch(batch, bytes.subarray(8, 16));
    return Buffer.concat([bytes, batch]);
  });
}
