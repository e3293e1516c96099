import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { openLog, temporaryDirectory } from "./log-bed.ts";
import { makeLogDirectory } from "./log-directory.ts";
import { nodeDisk } from "./writing/disk.ts";
import { faultyDisk } from "./writing/faulty-disk.ts";

function recordingDisk() {
  const synced: string[] = [];
  const disk = faultyDisk(nodeDisk);
  disk.before = (step, name) => {
    if (step === "syncDirectory") synced.push(name);
  };
  return { disk, synced };
}

it("a new log's directory is synced into every one above it, also where somebody else made them", () => {
  const parent = temporaryDirectory();
  const { disk, synced } = recordingDisk();
  makeLogDirectory(disk, join(parent, "a", "b", "log"));
  expect(synced.slice(0, 3)).toEqual(["b", "a", basename(parent)]);
  synced.length = 0;
  makeLogDirectory(disk, join(parent, "a", "b", "log"));
  expect(synced.slice(0, 3)).toEqual(["b", "a", basename(parent)]);
});

it("a log that has a segment needs none of it", async () => {
  const directory = join(temporaryDirectory(), "log");
  const engine = await openLog(directory);
  await engine.close();
  const { disk, synced } = recordingDisk();
  makeLogDirectory(disk, directory);
  expect(synced).toEqual([]);
});

it("stops at a directory that may not be opened: nothing can have been made in it", () => {
  const parent = temporaryDirectory();
  mkdirSync(join(parent, "a"));
  const { disk, synced } = recordingDisk();
  const record = disk.before;
  disk.before = (step, name) => {
    record(step, name);
    if (name === basename(parent)) throw Object.assign(new Error("EACCES"), { code: "EACCES" });
  };
  makeLogDirectory(disk, join(parent, "a", "log"));
  expect(synced).toEqual(["a", basename(parent)]);
});
