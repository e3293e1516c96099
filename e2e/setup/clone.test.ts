/**
 * What a newcomer does: clone, set up. Runs on what is committed, in a folder with a space in its name; npm takes its
 * packages from its cache as far as they are there.
 *
 * What can go wrong: the set-up that is killed leaves its npm running. The next set-up ends that one; where the test
 * fails before, `afterEach` does.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, expect, it } from "vitest";
import { killIfAlive, untilGone } from "./demo-process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "plateau clone "));
const clone = join(folder, "a flash sale");
const stamps = ["node_modules/.installed-from", "prisma/generated/.set-up-from"].map((path) => join(clone, path));
const withinMs = { timeout: 120_000, interval: 20 };

afterEach(async () => {
  const left = npmAtWork();
  if (left > 0) {
    killIfAlive(left);
    await untilGone([left], 5_000);
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** The npm that a set-up started, 0 where none is noted. */
function npmAtWork(): number {
  const note = join(clone, ".tools", "npm-process.json");
  return existsSync(note) ? Number(readFileSync(note, "utf8").split("\n")[0]) : 0;
}

const foldersIn = (path: string): number => (existsSync(path) ? readdirSync(path).length : 0);

function startSetUp(): ChildProcess {
  return spawn(process.execPath, [join(clone, "apps", "demo", "bin", "run.mjs"), "setup"], { stdio: "ignore" });
}

const npm = (...args: readonly string[]) =>
  run("npm", ["--silent", ...args], { cwd: clone, shell: process.platform === "win32" });

it("a clone sets itself up, also after a set-up that was killed in the middle, and then has nothing left to do", async () => {
  await run("git", ["clone", "--quiet", root, clone]);
  const killed = startSetUp();
  const ended = once(killed, "exit");
  await expect.poll(() => foldersIn(join(clone, "node_modules")), withinMs).toBeGreaterThan(20);
  killed.kill("SIGKILL");
  expect(await ended).toEqual([null, "SIGKILL"]);
  const orphan = npmAtWork();
  expect(orphan).toBeGreaterThan(0);
  expect(stamps.some(existsSync)).toBe(false);

  expect((await npm("run", "setup")).stdout).toContain("installing the packages");
  await untilGone([orphan], 0);
  const imported = await run(
    process.execPath,
    ["-e", "import('@plateau/demo').then((it) => console.log(Object.keys(it)))"],
    {
      cwd: join(clone, "e2e"),
    },
  );
  expect(imported.stdout).toContain("startSystem");

  const doneAt = stamps.map((path) => statSync(path).mtimeMs);
  expect((await npm("run", "setup")).stdout).toBe("");
  expect(stamps.map((path) => statSync(path).mtimeMs)).toEqual(doneAt);
});
