import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { getPriority } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeLog, segmentPaths, temporaryDirectory } from "../log-bed.ts";
import { readSegmentHeader } from "../recovery/segment-scan.ts";
import { nodeDisk } from "../writing/disk.ts";
import { RoomSign } from "../writing/reserve.ts";
import { createInlineCompactor, createThreadCompactor } from "./compactor.ts";
import { snapshotPaths } from "./snapshot-bed.ts";

it.runIf(process.platform === "linux")("a compactor's thread steps back behind the one that uses it", async () => {
  const before = getPriority();
  const compactor = createThreadCompactor();
  await compactor.run({ kind: "remove", directory: temporaryDirectory(), fileNames: [] });
  expect(getPriority()).toBe(before);
  const nices = readdirSync("/proc/self/task").map(niceOf);
  expect(Math.max(...nices)).toBeGreaterThanOrEqual(10);
  await compactor.close();
});

/** 0 where the thread has ended meanwhile. */
function niceOf(thread: string): number {
  try {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
  } catch {
    return 0;
  }
}

describe.each([
  ["in a thread", () => createThreadCompactor()],
  ["in this thread", () => createInlineCompactor(nodeDisk, setImmediate)],
])("a compactor %s", (_where, create) => {
  it("does its jobs and tells what failed", async () => {
    const directory = temporaryDirectory();
    for (const name of ["a", "b"]) writeFileSync(join(directory, name), "");
    const compactor = create();
    const outcome = await compactor.run({ kind: "remove", directory, fileNames: ["a"] });
    expect(outcome).toEqual({ kind: "done", bytes: 0 });
    compactor.rest();
    const failed = await compactor.run({ kind: "remove", directory, fileNames: ["c", "b"] });
    expect(failed).toMatchObject({ kind: "failed", reason: expect.stringContaining("ENOENT") });
    expect(readdirSync(directory)).toEqual(["b"]);
    await compactor.close();
  });

  it("takes no room for a snapshot from the moment on at which the reserve was given up", async () => {
    const directory = temporaryDirectory();
    await makeLog(directory);
    const paths = segmentPaths(directory);
    const { logId } = readSegmentHeader(readFileSync(paths[0] as string), "the first segment");
    const sequences = paths.map((path) => Number(basename(path, ".segment")));
    const sign = new RoomSign();
    const [previous, next] = [undefined, sequences.at(-1) as number];
    const request = { directory, logId, previous, segments: sequences.slice(0, -1), next, roomSign: sign.memory };
    const compactor = create();
    sign.reserveIs("given up");
    const refused = await compactor.run({ kind: "merge", request });
    expect(refused).toMatchObject({ kind: "failed", reason: expect.stringContaining("the disk is full") });
    expect(snapshotPaths(directory)).toEqual([]);
    sign.reserveIs("there");
    expect(await compactor.run({ kind: "merge", request })).toMatchObject({ kind: "done" });
    expect(snapshotPaths(directory)).toHaveLength(1);
    await compactor.close();
  });

  it("gives up the job under way when it is closed", async () => {
    const directory = temporaryDirectory();
    const fileNames = Array.from({ length: 2000 }, (_, index) => String(index));
    for (const name of fileNames) writeFileSync(join(directory, name), "");
    const compactor = create();
    const outcome = compactor.run({ kind: "remove", directory, fileNames });
    await compactor.close();
    expect((await outcome).kind).toBe("failed");
  });
});
