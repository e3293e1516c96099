import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "vitest";
import { jobSuite } from "./job-suite.ts";

describe("jobs in the embedded store", () => {
  const folders: string[] = [];
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));
  jobSuite(async () => {
    const directory = await mkdtemp(join(tmpdir(), "jobs-"));
    folders.push(directory);
    return { store: "embedded", directory };
  });
});
