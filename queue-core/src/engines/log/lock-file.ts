/**
 * One process owns a log directory at a time: the one named in its file `lock`.
 *
 * What can go wrong: a process killed with SIGKILL leaves its lock; another process may get its number since.
 * Promise: a lock whose process is dead is taken over, also when its number lives on, as far as the platform
 * tells when a process started (Linux: /proc; elsewhere: ps; where neither is there, a live number counts as the
 * owner). Everything else is LOCKED. On a full disk a dead owner's lock is written over, which takes no room. The file is not `Disk`'s: it speaks of processes, not of stored data.
 */
import { execFileSync } from "node:child_process";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { QueueError } from "../../errors.ts";
import { isFull } from "./writing/disk.ts";

interface Owner {
  readonly pid: number;
  /** What the platform says about the start of that process; undefined where it says nothing. */
  readonly started: string | undefined;
}

export interface LockFile {
  release(): void;
}

/** Throws LOCKED with the owner's process id, or what the file system says. */
export function acquireLockFile(directory: string): LockFile {
  const path = join(directory, "lock");
  let content = `${JSON.stringify({ pid: process.pid, started: startOf(process.pid) })}\n`;
  for (let attempt = 0; attempt < 3; attempt++) {
    const outcome = createExclusively(path, content);
    if (outcome === "created") return held(path, content);
    const found = readIfThere(path);
    if (found === undefined) {
      if (outcome !== "there") throw outcome.noRoom;
      continue;
    }
    const owner = parseOwner(found);
    if (owner !== undefined && isAlive(owner)) {
      throw new QueueError("LOCKED", `process ${owner.pid} uses ${directory}; stop it first`);
    }
    if (outcome === "there") {
      takeAway(path, found);
      continue;
    }
    content = content.padEnd(found.length);
    if (takeAway(path, found, content)) return held(path, content);
  }
  throw new QueueError("LOCKED", `several processes want ${directory} at once; its lock is ${path}`);
}

/** The live process that the directory's lock names; undefined when there is none. Changes nothing. */
export function liveOwnerOf(directory: string): number | undefined {
  const found = readIfThere(join(directory, "lock"));
  const owner = found === undefined ? undefined : parseOwner(found);
  return owner !== undefined && isAlive(owner) ? owner.pid : undefined;
}

function held(path: string, content: string): LockFile {
  return {
    release() {
      if (readIfThere(path) === content) rmSync(path, { force: true });
    },
  };
}

function createExclusively(path: string, content: string): "created" | "there" | { readonly noRoom: unknown } {
  // Written aside and linked, so that nobody ever reads a lock without its owner.
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, content);
    return link(draft, path) ? "created" : "there";
  } catch (error) {
    if (isFull(error)) return { noRoom: error };
    if (codeOf(error) !== "EPERM" && codeOf(error) !== "ENOTSUP") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  try {
    // A file system without hard links.
    writeFileSync(path, content, { flag: "wx" });
    return "created";
  } catch (error) {
    if (codeOf(error) === "EEXIST") return "there";
    throw error;
  }
}

/** False when there is a file of that name. */
function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/**
 * Removes the dead owner's lock. Where another process was faster, its fresh lock is put back.
 * @param heir what to write over it instead, as long as it; true when that is the lock now.
 */
function takeAway(path: string, dead: string, heir?: string): boolean {
  const aside = `${path}.dead.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
  try {
    if (readFileSync(aside, "utf8") !== dead) {
      link(aside, path);
      return false;
    }
    if (heir === undefined) return false;
    writeFileSync(aside, heir, { flag: "r+" });
    return link(aside, path);
  } finally {
    rmSync(aside, { force: true });
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Undefined when the content names no process: a power cut can leave an empty file. */
function parseOwner(content: string): Owner | undefined {
  try {
    const parsed: unknown = JSON.parse(content);
    if (typeof parsed !== "object" || parsed === null || !("pid" in parsed)) return undefined;
    const started = "started" in parsed && typeof parsed.started === "string" ? parsed.started : undefined;
    return typeof parsed.pid === "number" && parsed.pid > 0 ? { pid: parsed.pid, started } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it lives, as another user's.
    if (codeOf(error) === "ESRCH") return false;
  }
  if (isZombie(owner.pid)) return false;
  const started = startOf(owner.pid);
  return owner.started === undefined || started === undefined || started === owner.started;
}

/** Killed, and its parent takes no note of it: it still answers to signal 0, and keeps its start time. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

/** Undefined where the platform does not tell, or the process is gone. */
function startOf(pid: number): string | undefined {
  if (process.platform === "win32") return undefined;
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Field 22, clock ticks since boot; the command in field 2 is in brackets and may hold anything.
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${boot}/${ticks}`;
  } catch {
    return startByPs(pid);
  }
}

function startByPs(pid: number): string | undefined {
  try {
    return (
      execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
        encoding: "utf8",
        env: { ...process.env, LC_ALL: "C" },
        stdio: ["ignore", "pipe", "ignore"],
      }).trim() || undefined
    );
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
