/**
 * The storefront, built once for each state of its sources, below `.tools/storefront/<digest>`.
 *
 * Promises: a folder with that name is complete (it is built elsewhere and renamed), so a build cut short is simply
 * done again; a demo that runs keeps its own build while another is made; two builds never run at once.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StartProblem } from "@plateau/hosting";
import { waitForLock } from "../bin/owner-lock.mjs";

const kept = 3;
const othersBuildMs = 90_000;
const notSources = new Set([".next", "node_modules", "next-env.d.ts"]);

export interface StorefrontBuild {
  /** Called when a build is needed, which takes a while. */
  readonly onBuild: () => void;
  /** Ends a build under way. */
  readonly signal: AbortSignal;
}

/** Resolves with the path of the server's file. `root` is the checkout. Throws StartProblem with the build's output. */
export async function prepareStorefront(root: string, { onBuild, signal }: StorefrontBuild): Promise<string> {
  const builds = join(root, ".tools", "storefront");
  const target = join(builds, digestOfSources(root));
  const server = join(target, "apps", "storefront", "server.js");
  if (existsSync(server)) return server;
  mkdirSync(builds, { recursive: true });
  const release = await waitForLock(join(root, ".tools", "storefront.lock"), onBuild);
  try {
    if (existsSync(server)) return server;
    onBuild();
    await buildInTurn(root, signal);
    renameSync(join(root, "apps", "storefront", ".next", "standalone"), target);
    removeOldBuilds(builds, target);
    return server;
  } finally {
    release();
  }
}

function digestOfSources(root: string): string {
  const hash = createHash("sha256");
  const add = (path: string): void => {
    hash.update(relative(root, path)).update("\0").update(readFileSync(path)).update("\0");
  };
  for (const folder of ["apps/storefront", "apps/domain/src"]) filesBelow(join(root, folder)).forEach(add);
  add(join(root, "package-lock.json"));
  return hash.digest("hex").slice(0, 16);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !notSources.has(entry.name) && !/\.(test|spec)\.tsx?$|\.tsbuildinfo$/.test(entry.name))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    });
}

/** Next lets one build at a time into a checkout; one that a killed demo left behind ends within moments. */
async function buildInTurn(root: string, signal: AbortSignal): Promise<void> {
  const untilMs = performance.now() + othersBuildMs;
  for (;;) {
    const { ok, output } = await build(root, signal);
    if (ok) return;
    if (signal.aborted) throw new StartProblem("stopped while the storefront was built");
    if (!/another next build process/i.test(output) || performance.now() > untilMs) {
      throw new StartProblem(`building the storefront failed:\n${output}`);
    }
    await sleep(1_000, undefined, { signal }).catch(() => undefined);
  }
}

async function build(root: string, signal: AbortSignal): Promise<{ ok: boolean; output: string }> {
  const args = ["--disable-warning=ExperimentalWarning", join(root, "apps", "storefront", "build.ts")];
  const child = spawn(process.execPath, args, {
    cwd: join(root, "apps", "storefront"),
    env: { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    windowsHide: true,
    detached: process.platform !== "win32",
  });
  const end = (): void => endGroup(child);
  signal.addEventListener("abort", end, { once: true });
  // Should this process be killed, the build ends with what it has and is not used.
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output = (output + chunk.toString("utf8")).slice(-20_000);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  signal.removeEventListener("abort", end);
  return { ok: code === 0, output };
}

/** Next builds in several processes, which stand in one group. */
function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  if (process.platform === "win32") child.kill();
  else process.kill(-child.pid, "SIGKILL");
}

function removeOldBuilds(builds: string, newest: string): void {
  readdirSync(builds)
    .map((name) => join(builds, name))
    .filter((path) => path !== newest)
    .sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs)
    .slice(kept - 1)
    .forEach((path) => {
      rmSync(path, { recursive: true, force: true });
    });
}
