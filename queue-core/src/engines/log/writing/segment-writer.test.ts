import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { allTexts, append, numbers, openLog, segmentPaths, temporaryDirectory } from "../log-bed.ts";
import { readSegmentHeader, segmentParts } from "../recovery/segment-scan.ts";
import { nodeDisk } from "./disk.ts";
import { faultyDisk } from "./faulty-disk.ts";

const lastPartOf = (path: string) => {
  const bytes = readFileSync(path);
  return [...segmentParts(bytes, readSegmentHeader(bytes, path).logId)].at(-1)?.kind;
};

describe("the hole ahead of the batches", () => {
  it("is there while a segment is written to, never beyond its size, and cut off and synced before the next", async () => {
    const directory = temporaryDirectory();
    const steps: string[] = [];
    const disk = faultyDisk(nodeDisk);
    const engine = await openLog(directory, { disk, segmentBytes: 5_000 });
    disk.before = (step, name) => steps.push(`${step} ${name}`);
    for (const text of numbers(100)) await engine.commit(append(text));
    const paths = segmentPaths(directory);
    expect(paths.length).toBeGreaterThan(1);
    expect(paths.map(lastPartOf)).toEqual(paths.map((path) => (path === paths.at(-1) ? "hole" : "batch")));
    expect(statSync(paths.at(-1) as string).size).toBe(5_000);
    const begun = steps.findIndex((step) => step.startsWith("create"));
    // The name under which it was made.
    const sealed = `${basename(paths[0] as string)}.unfinished`;
    expect(steps.slice(begun - 2, begun)).toEqual([`truncate ${sealed}`, `datasync ${sealed}`]);
    await engine.close();
    expect(paths.map(lastPartOf)).toEqual(paths.map(() => "batch"));
  });

  it("is gone without where the file system makes none", async () => {
    const directory = temporaryDirectory();
    const disk = faultyDisk(nodeDisk);
    disk.before = (step) => {
      if (step === "truncate") throw Object.assign(new Error("no holes here"), { code: "EINVAL" });
    };
    const engine = await openLog(directory, { disk, segmentBytes: 2_000 });
    for (const text of numbers(50)) await engine.commit(append(text));
    await engine.close();
    expect(await allTexts(await openLog(directory))).toEqual(numbers(50));
  });
});
