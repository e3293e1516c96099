import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { encodeSegmentHeader, sealBatch } from "../src/engines/log/format/layout.ts";
import {
  batchesOf,
  contentsOf,
  edit,
  flip,
  makeLog,
  segmentPaths,
  temporaryDirectory,
} from "../src/engines/log/log-bed.ts";
import { queueTool } from "./tool-bed.ts";

async function made(): Promise<{ directory: string; newest: string; sealed: string; later: string }> {
  const directory = temporaryDirectory();
  await makeLog(directory);
  const segments = segmentPaths(directory);
  const [, sealed = "", later = ""] = segments;
  return { directory, newest: segments.at(-1) as string, sealed, later };
}

/** The damaged places and the verdict; nothing in the directory was changed. */
async function verdictOn(directory: string): Promise<{ code: number; verdict: string[] }> {
  const before = contentsOf(directory);
  const { code, out, err } = await queueTool("verify", directory);
  expect(err).toBe("");
  expect(contentsOf(directory)).toEqual(before);
  return { code, verdict: out.slice(out.indexOf("\n\n") + 2).split("\n") };
}

describe("verify", () => {
  it("calls a whole log sound, with what each file holds", async () => {
    const { directory } = await made();
    expect(await verdictOn(directory)).toEqual({ code: 0, verdict: [expect.stringMatching(/^sound: \d+ files in /)] });
    const { out } = await queueTool("verify", directory, "--json");
    const { verdict, files, damages } = JSON.parse(out);
    expect([verdict, damages]).toEqual(["sound", []]);
    const messages = files.map((file: { messages?: number }) => file.messages ?? 0);
    expect(messages.reduce((sum: number, count: number) => sum + count, 0)).toBe(30);
  });

  it("names file and offset of a flipped bit in a sealed segment, and of a second one behind it", async () => {
    const { directory, sealed, later } = await made();
    const [, second = 0, third = 0] = batchesOf(sealed);
    edit(sealed, flip(second + 50));
    const [first = 0, next = 0] = batchesOf(later);
    edit(later, flip(first + 8));
    expect(await verdictOn(directory)).toEqual({
      code: 1,
      verdict: [
        `${basename(sealed)} at byte ${second}: ${third - second} bytes are no whole batch`,
        `${basename(later)} at byte ${first}: ${next - first} bytes are no whole batch`,
        `DAMAGED: 2 places in ${directory}`,
      ],
    });
  });

  it("names damage in the newest segment when a whole batch follows", async () => {
    const { directory, newest } = await made();
    const [first = 0, second = 0] = batchesOf(newest);
    edit(newest, flip(first + 50));
    const { code, verdict } = await verdictOn(directory);
    expect(code).toBe(1);
    expect(verdict[0]).toBe(`${basename(newest)} at byte ${first}: ${second - first} bytes are no whole batch`);
  });

  it("calls a torn tail a torn tail, and no damage", async () => {
    const { directory, newest } = await made();
    const last = batchesOf(newest).at(-1) as number;
    truncateSync(newest, last + 20);
    expect((await verdictOn(directory)).code).toBe(0);
    const { out } = await queueTool("verify", directory);
    expect(out).toContain(
      `torn tail: 20 bytes from byte ${last} on were never acknowledged, and are cut off by the next`,
    );
  });

  it("names a cut sealed segment", async () => {
    const { directory, sealed } = await made();
    const last = batchesOf(sealed).at(-1) as number;
    truncateSync(sealed, last + 20);
    const { code, verdict } = await verdictOn(directory);
    expect([code, verdict[0]]).toEqual([1, `${basename(sealed)} at byte ${last}: 20 bytes are no whole batch`]);
  });

  it("names a missing segment once, however many follow it", async () => {
    const { directory, sealed, later } = await made();
    rmSync(sealed);
    const { code, verdict } = await verdictOn(directory);
    expect(code).toBe(1);
    expect(verdict).toEqual([
      `${basename(later)} at byte 0: the segment begins with batch ${Number(basename(later, ".segment"))}, ${basename(sealed)} is missing`,
      `DAMAGED: 1 place in ${directory}`,
    ]);
  });

  it("names a damaged header, and still reads the batches behind it", async () => {
    const { directory, sealed } = await made();
    const batches = batchesOf(sealed).length;
    edit(sealed, flip(10));
    const { code, verdict } = await verdictOn(directory);
    expect([code, verdict[0]]).toEqual([1, `${basename(sealed)} at byte 0: the header is damaged`]);
    const { files } = JSON.parse((await queueTool("verify", directory, "--json")).out);
    expect(files.find(({ file }: { file: string }) => file === basename(sealed)).batches).toBe(batches);
  });

  it("names a segment of another log, and one of a format it does not know", async () => {
    const { directory, sealed } = await made();
    const whole = readFileSync(sealed);
    const header = encodeSegmentHeader(Buffer.alloc(8, 7), Number(basename(sealed, ".segment")));
    edit(sealed, (bytes) => Buffer.concat([header, bytes.subarray(header.length)]));
    expect((await verdictOn(directory)).verdict[0]).toBe(
      `${basename(sealed)} at byte 0: the segment belongs to another log`,
    );
    writeFileSync(sealed, whole);
    edit(sealed, (bytes) => {
      bytes.writeUInt16LE(9, 4);
      return bytes;
    });
    expect((await verdictOn(directory)).verdict[0]).toBe(
      `${basename(sealed)} at byte 0: a format that this version does not know`,
    );
  });

  it("names a batch that is whole and makes no sense", async () => {
    const { directory, newest } = await made();
    const last = batchesOf(newest).at(-1) as number;
    edit(newest, (bytes) => {
      const batch = bytes.subarray(last);
      // One commit more than there is.
      batch.writeUInt32LE(batch.readUInt32LE(12) + 1, 12);
      sealBatch(batch, bytes.subarray(8, 16));
      return bytes;
    });
    const { code, verdict } = await verdictOn(directory);
    expect(code).toBe(1);
    expect(verdict[0]).toMatch(new RegExp(`^${basename(newest)} at byte ${last}: a record makes no sense: `));
  });

  it("tells files that are none of the log, and an unfinished one", async () => {
    const { directory } = await made();
    writeFileSync(join(directory, "notes.txt"), "hello");
    writeFileSync(join(directory, "0000000000009999.segment.unfinished"), "");
    expect((await verdictOn(directory)).code).toBe(0);
    const { out } = await queueTool("verify", directory);
    expect(out).toMatch(/notes\.txt +5 B .* not of the log/);
    expect(out).toMatch(/unfinished +0 B .* unfinished, removed by the next start/);
  });
});
