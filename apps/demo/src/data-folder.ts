/**
 * The data folder: who owns it, its secrets, and which processes work on it.
 *
 * Promises: one owner at a time, also after `kill -9` (owner-lock.mjs); secrets are made once and readable by their
 * owner alone; processes that a killed owner left behind are ended before anything is started; `fresh` removes what
 * this project made and nothing else, since DATA_DIR may name a folder with other files in it.
 */
import { randomBytes } from "node:crypto";
import { accessSync, constants, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, StartProblem } from "@plateau/hosting";
import { takeLock } from "../bin/owner-lock.mjs";
import { identify, isAlive, type ProcessIdentity } from "../bin/process-identity.mjs";

export interface Secrets {
  readonly session: string;
  readonly purchase: string;
  readonly adminToken: string;
  readonly database: string;
}

export interface DataFolder {
  readonly path: string;
  readonly secrets: Secrets;
  readonly postgres: string;
  readonly queue: string;
  readonly sandbox: string;
  /** Enters a started process, so that the next owner can end it should this one be killed. */
  enter(pid: number): void;
  /** Strikes it off after it ended. */
  strike(pid: number): void;
  release(): void;
}

const made = [
  "four-ways",
  "postgres",
  "postgres.unfinished",
  "queue",
  "redis",
  "sandbox",
  "secrets.json",
  "processes.json",
];

/** Throws StartProblem where the folder cannot be used. */
export async function claimDataFolder(path: string, options: { fresh: boolean }): Promise<DataFolder> {
  const lock = lockFolder(path);
  try {
    await endLeftProcesses(join(path, "processes.json"));
    if (options.fresh) for (const name of made) rmSync(join(path, name), { recursive: true, force: true });
    mkdirSync(join(path, "sandbox"), { recursive: true });
    const working = new Map<number, ProcessIdentity>();
    const record = (): void => replaceFile(join(path, "processes.json"), JSON.stringify([...working.values()]));
    return {
      path,
      secrets: readSecrets(join(path, "secrets.json")),
      postgres: join(path, "postgres"),
      queue: join(path, "queue"),
      sandbox: join(path, "sandbox"),
      enter(pid) {
        working.set(pid, identify(pid));
        record();
      },
      strike(pid) {
        if (working.delete(pid)) record();
      },
      release() {
        rmSync(join(path, "processes.json"), { force: true });
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function lockFolder(path: string): { release: () => void } {
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.W_OK | constants.X_OK);
    const lock = takeLock(join(path, "owner.lock"));
    if (lock.taken) return lock;
    throw new StartProblem(`process ${lock.pid} already uses the data folder ${path}; stop it, or set DATA_DIR`);
  } catch (error) {
    if (error instanceof StartProblem || codeOf(error) === "") throw error;
    throw new StartProblem(`cannot use the data folder ${path}: ${codeOf(error)}; set DATA_DIR to one of your own`);
  }
}

/** They end by themselves when their owner is gone, only not at once. */
async function endLeftProcesses(recordPath: string): Promise<void> {
  const left = readJson<ProcessIdentity[]>(recordPath) ?? [];
  for (const identity of left) if (isAlive(identity)) process.kill(identity.pid, "SIGKILL");
  const deadlineMs = Date.now() + 5_000;
  while (left.some(isAlive)) {
    if (Date.now() > deadlineMs) throw new StartProblem(`processes of an earlier start do not end: see ${recordPath}`);
    await sleep(20);
  }
}

function readSecrets(path: string): Secrets {
  const kept = readJson<Partial<Secrets>>(path);
  const fresh = (): string => randomBytes(32).toString("base64url");
  const secrets: Secrets = {
    session: kept?.session ?? fresh(),
    purchase: kept?.purchase ?? fresh(),
    adminToken: kept?.adminToken ?? randomBytes(16).toString("base64url"),
    database: kept?.database ?? fresh(),
  };
  if (Object.values(secrets).some((secret) => !Object.values(kept ?? {}).includes(secret)))
    replaceFile(path, `${JSON.stringify(secrets, undefined, 2)}\n`);
  return secrets;
}

function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new StartProblem(`${path} cannot be read (${error instanceof Error ? error.message : error})`);
  }
}

/** Whole or not at all, also when this process is killed meanwhile. */
function replaceFile(path: string, content: string): void {
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
