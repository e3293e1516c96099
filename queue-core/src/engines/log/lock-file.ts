/**
 * One process owns a log directory at a time: the one named in its file `lock`.
 *
 *     found                                             done
 *     no lock, or one that names nobody                 taken
 *     its process lives in this space                   LOCKED
 *     its process is dead in this space                 taken over at once
 *     its process is of another space                   LOCKED when the lock is touched within 5 s, else taken over
 *
 * A space is where process numbers mean the same: one boot of one host and, on Linux, one pid namespace of it. Two
 * containers that share a directory see each other's numbers as dead, or as somebody else's.
 *
 * Promises:
 * - A lock whose process is dead is taken over, also when its number lives on, as far as the platform tells when a
 *   process started (Linux: /proc; elsewhere: ps; where neither is there, a live number counts as the owner).
 * - A live owner of another space is never driven out: it touches the lock each second. One that was stopped for so long
 *   that it was driven out finds that out before it acknowledges anything (log-engine.ts), and what it had begun to write
 *   goes into a file that has no name any more (recovery.ts).
 *
 * What can go wrong:
 * - A process killed with SIGKILL leaves its lock; another process may get its number since.
 * - An owner of another space is stopped for more than 5 s in the very moment in which it gives a new segment its name:
 *   that one could take the place of its heir's. Nothing here prevents it.
 * - The disk is full: a dead owner's lock is written over, which takes no room. Where there is none the reserve is given
 *   up for it, and without a reserve the start ends in STORAGE_FULL: a lock kept over a clean stop would save that start,
 *   and look like a process at work.
 * The file is not `Disk`'s: it speaks of processes, not of stored data.
 */
import { execFileSync } from "node:child_process";
import {
  closeSync,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { QueueError } from "../../errors.ts";
import { isFull } from "./writing/disk.ts";

interface Owner {
  readonly pid: number;
  /** What the platform says about the start of that process; undefined where it says nothing. */
  readonly started: string | undefined;
  /** Where its number means something. */
  readonly space: string | undefined;
}

export interface LockFile {
  /** False once another process took the lock over. Costs two looks at a clock while the last touch is fresh. */
  isHeld(): boolean;
  /** Resolves when another process took it over. */
  readonly lost: Promise<void>;
  /** Whether one had it before that may be stopped instead of dead. */
  readonly formerOwner: "none that lives" | "maybe stopped";
  release(): void;
}

export interface LockTiming {
  readonly touchEveryMs: number;
  /** A lock of another space that nobody touched for so long has no owner. */
  readonly stillMs: number;
}

const usualTiming: LockTiming = { touchEveryMs: 1_000, stillMs: 5_000 };

/** Rejects with LOCKED and the owner's process id, or with what the file system says. */
export async function acquireLockFile(directory: string, timing = usualTiming): Promise<LockFile> {
  const path = join(directory, "lock");
  const me: Owner = { pid: process.pid, started: startOf(process.pid), space: spaceOfThisProcess() };
  let content = `${JSON.stringify(me)}\n`;
  let formerOwner: LockFile["formerOwner"] = "none that lives";
  for (let attempt = 0; attempt < 3; attempt++) {
    const outcome = createExclusively(path, content);
    if (outcome === "created") return new HeldLock(path, content, formerOwner, timing);
    const found = readIfThere(path);
    if (found === undefined) {
      if (outcome !== "there") throw outcome.noRoom;
      continue;
    }
    const owner = parseOwner(found);
    const isForeign = owner !== undefined && owner.space !== me.space;
    const dead: DeadLock = { content: found, touchedMs: isForeign ? await untouched(path, timing) : undefined };
    if (owner !== undefined && (isForeign ? dead.touchedMs === undefined : isAlive(owner))) {
      throw new QueueError(
        "LOCKED",
        `process ${owner.pid}${isForeign ? ` ${placeOf(owner)}` : ""} uses ${directory}; stop it first`,
      );
    }
    const heir = outcome === "there" ? undefined : content.padEnd(found.length);
    if (isForeign) formerOwner = "maybe stopped";
    if (!takeAway(path, dead, heir) || heir === undefined) continue;
    content = heir;
    return new HeldLock(path, content, formerOwner, timing);
  }
  throw new QueueError("LOCKED", `several processes want ${directory} at once; its lock is ${path}`);
}

/**
 * The live process that the directory's lock names; undefined when there is none. One of another space counts as alive
 * while its lock was touched lately by this machine's clock. Changes nothing.
 */
export function liveOwnerOf(directory: string): number | undefined {
  const path = join(directory, "lock");
  const found = readIfThere(path);
  const owner = found === undefined ? undefined : parseOwner(found);
  if (owner === undefined) return undefined;
  const lately = Date.now() - 2 * usualTiming.stillMs;
  const lives = owner.space === spaceOfThisProcess() ? isAlive(owner) : (touchedAt(path) ?? 0) > lately;
  return lives ? owner.pid : undefined;
}

/** Where process numbers mean the same as here. */
export function spaceOfThisProcess(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${hostname()} ${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

class HeldLock implements LockFile {
  readonly lost: Promise<void>;
  readonly formerOwner: LockFile["formerOwner"];
  readonly #path: string;
  readonly #content: string;
  readonly #freshMs: number;
  readonly #timer: NodeJS.Timeout;
  #touchedAt = { monotonicMs: 0, wallMs: 0 };
  #mode: "held" | "lost" | "released" = "held";
  #resolveLost: () => void = () => {};

  constructor(
    path: string,
    content: string,
    formerOwner: LockFile["formerOwner"],
    { touchEveryMs, stillMs }: LockTiming,
  ) {
    this.formerOwner = formerOwner;
    this.#path = path;
    this.#content = content;
    this.#freshMs = stillMs / 2;
    this.lost = new Promise((resolve) => {
      this.#resolveLost = resolve;
    });
    this.#touch();
    this.#timer = setInterval(() => this.#touch(), touchEveryMs).unref();
  }

  isHeld(): boolean {
    // Both clocks: the one stands still while a machine sleeps, the other is set.
    const { monotonicMs, wallMs } = this.#touchedAt;
    const agoMs = Math.max(performance.now() - monotonicMs, Math.abs(Date.now() - wallMs));
    if (agoMs > this.#freshMs) this.#touch();
    return this.#mode === "held";
  }

  release(): void {
    clearInterval(this.#timer);
    this.#mode = "released";
    if (readIfThere(this.#path) === this.#content) rmSync(this.#path, { force: true });
  }

  /** Touched first and looked at then: an heir takes nothing that was touched before it took it away. */
  #touch(): void {
    if (this.#mode !== "held") return;
    const at = { monotonicMs: performance.now(), wallMs: Date.now() };
    try {
      utimesSync(this.#path, at.wallMs / 1_000, at.wallMs / 1_000);
      if (readFileSync(this.#path, "utf8") === this.#content) {
        this.#touchedAt = at;
        return;
      }
    } catch {
      // It is not there, or cannot be reached: nobody is kept away by it.
    }
    this.#mode = "lost";
    clearInterval(this.#timer);
    this.#resolveLost();
  }
}

/** When it was touched last, once nobody touched it for as long as it takes; undefined when somebody did. */
async function untouched(path: string, { stillMs }: LockTiming): Promise<number | undefined> {
  const firstMs = touchedAt(path);
  const endMs = performance.now() + stillMs;
  while (firstMs !== undefined && performance.now() < endMs) {
    await delay(stillMs / 20);
    if (touchedAt(path) !== firstMs) return undefined;
  }
  return firstMs;
}

/** Opened for it: a network file system then asks its server. Undefined when it is not there. */
function touchedAt(path: string): number | undefined {
  try {
    const descriptor = openSync(path, "r");
    try {
      return fstatSync(descriptor).mtimeMs;
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function placeOf({ space = "unknown" }: Owner): string {
  return `of another host or container (${space.split(" ", 1)[0]})`;
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

interface DeadLock {
  readonly content: string;
  /** Of a foreign one: when it was touched last. */
  readonly touchedMs: number | undefined;
}

/**
 * Removes the dead owner's lock. Where another process was faster, its fresh lock is put back.
 * @param heir what to write over it instead, as long as it; true when that is the lock now.
 */
function takeAway(path: string, dead: DeadLock, heir: string | undefined): boolean {
  const aside = `${path}.dead.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
  try {
    const isTouched = dead.touchedMs !== undefined && touchedAt(aside) !== dead.touchedMs;
    if (isTouched || readFileSync(aside, "utf8") !== dead.content) {
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
    const space = "space" in parsed && typeof parsed.space === "string" ? parsed.space : undefined;
    return typeof parsed.pid === "number" && parsed.pid > 0 ? { pid: parsed.pid, started, space } : undefined;
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
