/**
 * `npm run demo` as a person starts it, from outside: a process, its lines, its end.
 *
 * What can go wrong: a test that fails half way leaves a demo running. Every demo is entered in a list, and `endAll`
 * kills what is left together with the children it recorded.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
export const entry = join(root, "apps", "demo", "bin", "run.mjs");
export const adminToken = "test-of-set-up";

export interface DemoEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Demo {
  /** The entry's; the supervisor is its child. */
  readonly pid: number;
  readonly dataDir: string;
  /** Resolves with the URL of the line `ready <url>`; rejects with the output where it ends before. */
  readonly ready: Promise<string>;
  readonly ended: Promise<DemoEnd>;
  /** Every process that works on the data folder: supervisor, children, PostgreSQL. */
  pids(): { readonly supervisor: number; readonly children: readonly number[]; readonly postgres: number };
  signal(signal: NodeJS.Signals): void;
}

const demos: Demo[] = [];
const folders: string[] = [];

/** Also with a space in it, since people's folders have them. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "plateau demo "));
  folders.push(folder);
  return folder;
}

export function startDemo(options: { dataDir: string; args?: readonly string[]; env?: Record<string, string> }): Demo {
  const child = spawn(process.execPath, [entry, "demo", ...(options.args ?? [])], {
    env: {
      ...process.env,
      PORT: "0",
      LOG_LEVEL: "warn",
      // Whose Redis it may be, it is not for tests.
      REDIS_URL: "",
      ADMIN_TOKEN: adminToken,
      DATA_DIR: options.dataDir,
      ...options.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = collect(child);
  const ended = new Promise<DemoEnd>((resolve) => {
    child.once("close", (code) => resolve({ code, stdout: output.stdout, stderr: output.stderr }));
  });
  const demo: Demo = {
    pid: child.pid ?? 0,
    dataDir: options.dataDir,
    ready: readyOf(child, output, ended),
    ended,
    pids: () => pidsOf(options.dataDir),
    signal: (signal) => void child.kill(signal),
  };
  demo.ready.catch(() => undefined);
  demos.push(demo);
  return demo;
}

/** Kills what is left of every demo and removes the folders. */
export async function endAll(): Promise<void> {
  for (const demo of demos.splice(0)) {
    const left = [demo.pid, ...(existsSync(join(demo.dataDir, "owner.lock")) ? allPids(demo) : [])];
    for (const pid of left) killIfAlive(pid);
    await demo.ended;
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export function allPids(demo: Demo): readonly number[] {
  const { supervisor, children, postgres } = demo.pids();
  return [supervisor, ...children, postgres].filter((pid) => pid > 0);
}

export function killIfAlive(pid: number): void {
  if (isRunning(pid)) process.kill(pid, "SIGKILL");
}

/** A zombie, which waits for its parent to take note, runs no more. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== "linux") return true;
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Resolves when none of them runs; rejects with those that still do after `withinMs`. */
export async function untilGone(pids: readonly number[], withinMs: number): Promise<void> {
  const untilMs = performance.now() + withinMs;
  while (pids.some(isRunning)) {
    if (performance.now() > untilMs) throw new Error(`still running: ${pids.filter(isRunning).join(", ")}`);
    await sleep(20);
  }
}

export function portAnswers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.once("connect", () => resolve(socket.destroy() !== undefined));
    socket.once("error", () => resolve(false));
  });
}

function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.on("data", (chunk: Buffer) => {
      output[name] += chunk.toString("utf8");
    });
  }
  return output;
}

function readyOf(
  child: ChildProcess,
  output: { stdout: string; stderr: string },
  ended: Promise<DemoEnd>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.on("data", () => {
      const url = /^ready (\S+)$/m.exec(output.stdout)?.[1];
      if (url !== undefined) resolve(url);
    });
    void ended.then(({ code }) => reject(new Error(`ended with ${code}:\n${output.stdout}${output.stderr}`)));
  });
}

function pidsOf(dataDir: string): ReturnType<Demo["pids"]> {
  const read = (name: string): string => {
    const path = join(dataDir, name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  };
  const owner = JSON.parse(read("owner.lock") || "{}") as { pid?: number };
  const children = JSON.parse(read("processes.json") || "[]") as { pid: number }[];
  const postgres = Number(read(join("postgres", "postmaster.pid")).split("\n")[0]);
  return { supervisor: owner.pid ?? 0, children: children.map(({ pid }) => pid), postgres: postgres || 0 };
}
