import { copyFileSync, readFileSync, renameSync, rmSync, truncateSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { append, contentsOf, edit, flip, segmentPaths, temporaryDirectory } from "../src/engines/log/log-bed.ts";
import { blocksOf, fillSegment, openWatched, snapshotPaths } from "../src/engines/log/snapshots/snapshot-bed.ts";
import { crcSeedOf, decodeSnapshotHeader, sealBlock } from "../src/engines/log/snapshots/snapshot-layout.ts";
import { jsonOf, queueTool } from "./tool-bed.ts";

interface Made {
  readonly directory: string;
  readonly snapshot: string;
  /** All but the last are in the snapshot. */
  readonly segments: readonly string[];
  /** A copy of the very first segment. */
  readonly first: string;
}

/** A log of several segments, with a group, entries of which some expire, and a snapshot of all but the last. */
async function made(retainedBytes = 1e9): Promise<Made> {
  const directory = temporaryDirectory();
  const first = join(temporaryDirectory(), "first");
  const { engine, next, reports } = await openWatched(directory, { retention: { bytes: retainedBytes } });
  for (let index = 0; index < 20; index++) {
    // Sealed by now, and the log is still too small to let it go.
    if (index === 8) copyFileSync(segmentPaths(directory)[0] as string, first);
    const expiresAtMs = engine.now() + (index % 3 === 0 ? -1 : 1e6);
    await engine.commit({
      ...append(String(index)),
      advance: { group: "g", topic: "t", partition: 0, to: index },
      put: [
        { namespace: "n", key: `k${index % 5}`, value: Buffer.from(`value ${index}`) },
        { namespace: "e", key: `k${index}`, value: Buffer.from(String(index)), expiresAtMs },
      ],
    });
  }
  await fillSegment(engine, directory);
  const newest = basename(segmentPaths(directory).at(-1) as string, ".segment");
  while ((await next("snapshot taken")).fileName !== `${newest}.snapshot`) {
    // Those before it.
  }
  const went = () => reports.some(({ kind }) => kind === "segments removed");
  if (retainedBytes < 1e9 && !went()) await next("segments removed");
  await engine.close();
  const [snapshot = ""] = snapshotPaths(directory);
  return { directory, snapshot, segments: segmentPaths(directory), first };
}

/** Changes a text in a block, and its checksum, as only a faulty writer would. */
function forge(path: string, text: string, instead: string): void {
  const blocks = blocksOf(path);
  edit(path, (bytes) => {
    const found = bytes.indexOf(text);
    bytes.write(instead, found);
    const at = blocks.findLast((block) => block < found) as number;
    const block = bytes.subarray(at, at + bytes.readUInt32LE(at));
    const header = decodeSnapshotHeader(bytes);
    if (typeof header === "string") throw new Error(header);
    sealBlock(block, 4, block.readUInt32LE(8), crcSeedOf(header), at);
    return bytes;
  });
}

/** The line of that file in the table, and the verdict. */
async function verify(directory: string): Promise<{ code: number; of: (path: string) => string; verdict: string[] }> {
  const before = contentsOf(directory);
  const { code, out } = await queueTool("verify", directory);
  expect(contentsOf(directory)).toEqual(before);
  const of = (path: string) => out.split("\n").find((line) => line.startsWith(basename(path))) ?? "";
  return { code, of, verdict: out.slice(out.indexOf("\n\n") + 2).split("\n") };
}

describe("verify with a snapshot", () => {
  it("compares it with the segments, where they reach back to the first", async () => {
    const { directory, snapshot, segments } = await made();
    const { code, of } = await verify(directory);
    expect([code, of(snapshot)]).toEqual([
      0,
      expect.stringMatching(/ \d+ {2}equals the fold of all segments before it$/),
    ]);
    for (const segment of segments) expect(of(segment)).toMatch(/sound$/);
  });

  it("reads it where older segments went", async () => {
    const { directory, snapshot } = await made(1_500);
    const { code, of } = await verify(directory);
    expect([code, of(snapshot)]).toEqual([0, expect.stringMatching(/ sound$/)]);
  });

  it("names a damaged block, and still checks all segments", async () => {
    const { directory, snapshot, segments } = await made();
    const block = blocksOf(snapshot)[3] as number;
    edit(snapshot, flip(block + 30));
    const { code, of, verdict } = await verify(directory);
    expect([code, verdict[0]]).toEqual([
      1,
      `${basename(snapshot)} at byte ${block}: a block of the snapshot is damaged`,
    ]);
    for (const segment of segments) expect(of(segment)).toMatch(/sound$/);
  });

  it("names a snapshot that is whole and says something else than the segments", async () => {
    const { directory, snapshot } = await made();
    forge(snapshot, "value 19", "value 91");
    const { code, verdict } = await verify(directory);
    expect([code, verdict[0]]).toEqual([
      1,
      `${basename(snapshot)} at byte 0: it differs from the segments before it: entry "k4" of n is another`,
    ]);
  });

  it("finds damage in a segment that start-up would not read", async () => {
    const { directory, snapshot, segments } = await made();
    const [, second = ""] = segments;
    edit(second, flip(60));
    const { code, of, verdict } = await verify(directory);
    expect([code, verdict[0]]).toEqual([1, expect.stringContaining(`${basename(second)} at byte 32: `)]);
    expect(of(snapshot)).toMatch(/sound$/);
  });

  it("names a segment that is missing or cut, though a snapshot holds what was in it", async () => {
    const { directory, segments } = await made();
    const [, second = "", third = ""] = segments;
    truncateSync(third, readFileSync(third).length - readFileSync(third).readUInt32LE(40));
    rmSync(second);
    const { code, verdict } = await verify(directory);
    expect(code).toBe(1);
    expect(verdict.join("\n")).toContain(`${basename(second)} at byte 0: the segment is missing`);
    expect(verdict.join("\n")).toContain(`${basename(third)} at byte `);
  });

  it("names the segment behind it when that is missing", async () => {
    const { directory, segments } = await made();
    const last = segments.at(-1) as string;
    rmSync(last);
    const { code, verdict } = await verify(directory);
    expect([code, verdict[0]]).toEqual([1, `${basename(last)} at byte 0: the segment is missing`]);
  });

  it("names a snapshot under another name", async () => {
    const { directory, snapshot } = await made();
    const wrong = join(directory, "0000000000099999.snapshot");
    renameSync(snapshot, wrong);
    const { code, verdict } = await verify(directory);
    expect([code, verdict[0]]).toEqual([1, expect.stringMatching(/^0000000000099999\.snapshot at byte 16: /)]);
  });

  it("tells an older snapshot, and segments that the log let go, which are no damage", async () => {
    const { directory, first, snapshot, segments } = await made(1_500);
    copyFileSync(snapshot, join(directory, "0000000000000001.snapshot"));
    copyFileSync(first, join(directory, "0000000000000000.segment"));
    const { code, of } = await verify(directory);
    expect(code).toBe(0);
    expect(of("0000000000000001.snapshot")).toMatch(/not needed any more, removed by the next start$/);
    expect(of("0000000000000000.segment")).toMatch(/not needed any more, removed by the next start$/);
    for (const segment of segments) expect(of(segment)).toMatch(/sound$/);
  });

  it("refuses a log whose first segments went and that has no snapshot", async () => {
    const { directory, snapshot, segments } = await made(1_500);
    rmSync(snapshot);
    const [first = ""] = segments;
    const { code, verdict } = await verify(directory);
    expect([code, verdict[0]]).toEqual([
      1,
      expect.stringMatching(
        new RegExp(`^${basename(first)} at byte 0: the segments before batch \\d+ are missing, and no`),
      ),
    ]);
  });
});

describe("views with a snapshot", () => {
  it("start from it, and tell what it knows no time of", async () => {
    const { directory } = await made(1_500);
    const { out } = await queueTool("groups", "--dir", directory);
    expect(out).toMatch(/^g +t +\d+ +.* before 20\d\d-\S+Z {2}before 20\d\d-\S+Z$/m);
    expect(out).toMatch(/segments? of .*, a snapshot of .* up to 20\d\d-.*Z, \d+ batches up to/);
    expect(await jsonOf("topics", "t", "--dir", directory)).toMatchObject({
      snapshot: { beforeBatch: expect.any(Number) },
      topics: [{ partitions: [{ end: 20 }, {}, {}, {}] }],
    });
  });
});

describe("dump of a snapshot", () => {
  it("shows what it holds, record by record", async () => {
    const { snapshot } = await made();
    const { code, out } = await queueTool("dump", snapshot, "--full");
    expect(code).toBe(0);
    const lines = out.split("\n");
    expect(lines[0]).toMatch(
      /^snapshot of log [0-9a-f]{16}, .* before batch \d+ and commit \d+, up to .*, opened 1 time$/,
    );
    expect(lines[1]).toBe("  topic      t, 4 partitions");
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}partition {2}t\/0 from 0 to 20, g at 19; \d+ places in its/),
    );
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}segment {4}from batch 0 on, \d+ B, up to /));
    expect(lines).toContain('  entry      n  "k4"  8 bytes\n      value 19'.split("\n")[0]);
    expect(out).toMatch(/ {2}entry {6}e {2}"k19" {2}2 bytes {2}until /);
  });

  it("shows what stands before damage, and names that", async () => {
    const { snapshot } = await made();
    const [, , , entries = 0] = blocksOf(snapshot);
    edit(snapshot, flip(entries + 30));
    const { code, out } = await queueTool("dump", snapshot);
    expect(code).toBe(1);
    expect(out).toContain("  topic      t, 4 partitions");
    expect(out.split("\n").at(-1)).toBe(`DAMAGE at byte ${entries}: a block of the snapshot is damaged`);
  });
});
