/**
 * Faults of the disk under the store: no room, and syncs that take long. Linux only: the one needs a file system of its
 * own (tmpfs, root), the other strace.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault, Ground, Struck } from "./fault.ts";
import { isReady, pidOf } from "./process-faults.ts";

const fullMs = 2_500;
const slow = { delayMs: 120, lengthMs: 4_000 };
/** Room for the store's files and reserve, small enough to be filled in no time. */
export const smallDiskBytes = 384 * 1024 * 1024;

export const canMount = (): boolean => process.platform === "linux" && process.getuid?.() === 0;
const canTrace = (): boolean => process.platform === "linux" && spawnSync("strace", ["-V"]).status === 0;

/** Mounts a small file system there. Returns how to take it away. */
export function mountSmallDisk(folder: string): () => void {
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${smallDiskBytes}`, "plateau-chaos", folder]);
  if (mounted.status !== 0) throw new Error(`cannot mount a small disk: ${mounted.stderr}`);
  return () => void spawnSync("umount", [folder]);
}

export function diskFaults(target: string): readonly Fault[] {
  return [
    {
      name: `full disk of ${target}`,
      lengthMs: fullMs,
      impossible: canMount() ? undefined : "a small disk needs Linux and root",
      strike: fillDisk,
    },
    {
      name: `slow syncs of ${target}`,
      lengthMs: slow.lengthMs,
      impossible: canTrace() ? undefined : "slow syncs need Linux and strace",
      // An idle store syncs nothing.
      notAt: "idle",
      strike: (ground) => slowSyncs(ground, target),
    },
  ];
}

async function fillDisk(ground: Ground): Promise<Struck> {
  const folder = ground.smallDisk;
  if (folder === undefined) throw new Error("the store has no small disk");
  const path = join(folder, "ballast");
  const { bavail, bsize } = statfsSync(folder);
  try {
    writeFileSync(path, Buffer.alloc(bavail * bsize, 1));
  } catch (error) {
    // The store took some of the room meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
  const left = statfsSync(folder).bavail;
  return {
    async heal() {
      rmSync(path, { force: true });
      while (!(await isReady(ground))) await sleep(50, undefined, { signal: ground.signal });
    },
    evidence: () => (left === 0 ? `not a byte was left for ${fullMs} ms` : undefined),
  };
}

/** Every sync of the process waits, by strace. */
async function slowSyncs(ground: Ground, target: string): Promise<Struck> {
  const pid = pidOf(ground, target);
  if (pid === undefined) throw new Error(`${target} does not run`);
  const folder = mkdtempSync(join(tmpdir(), "plateau-trace-"));
  const trace = join(folder, "trace");
  const delay = `inject=fdatasync,fsync:delay_enter=${slow.delayMs * 1_000}`;
  const strace = spawn("strace", ["-f", "-p", String(pid), "-e", "trace=fdatasync,fsync", "-e", delay, "-o", trace]);
  await attached(strace);
  let syncs = 0;
  return {
    async heal() {
      await ended(strace);
      syncs = readFileSync(trace, "utf8")
        .split("\n")
        .filter((line) => line.includes("sync(")).length;
      rmSync(folder, { recursive: true, force: true });
    },
    evidence: () => (syncs === 0 ? undefined : `${syncs} syncs took ${slow.delayMs} ms longer`),
  };
}

/** On a busy machine this takes longer than the fault. */
function attached({ stderr }: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    // Read to its end: a strace that nobody reads would stand still, and the traced process with it.
    stderr?.on("data", (chunk: Buffer) => {
      said += chunk;
      if (said.includes(" attached")) resolve();
    });
    stderr?.on("end", () => reject(new Error(`strace ended: ${said}`)));
  });
}

/** It lets go of the process on SIGTERM. */
async function ended(strace: ChildProcess): Promise<void> {
  if (strace.exitCode !== null) return;
  strace.kill("SIGTERM");
  await once(strace, "exit");
}
