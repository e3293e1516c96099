/**
 * A Redis of one's own: a process on a free port of this machine, with a folder of its own.
 *
 * What can go wrong: the process that started it is killed and leaves it behind; a second one is then started on the
 * same folder, and both append to one file. Promises: it ends with the process that started it, however that one
 * ended; `stop` waits until it is gone; a folder that was made for it goes with it, one that was given stays.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { QueueError } from "../../errors.ts";
import { clientMaker } from "./connection.ts";

/** How a private Redis is started. */
export interface PrivateRedisOptions {
  /** Where its files lie; made when it is not there, and kept. Default: a folder that goes when it is stopped. */
  readonly directory?: string;
  /** `off`: nothing is written to disk. Default `always`: each answer is synced before it is given. */
  readonly appendfsync?: "always" | "everysec" | "off";
  /** Default: a free one. */
  readonly port?: number;
  /** Further settings, by their names in redis.conf. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A running one. */
export interface PrivateRedis {
  /** `redis://127.0.0.1:<port>`, with the password where the settings have one (`requirepass`). */
  readonly url: string;
  readonly port: number;
  readonly directory: string;
  /** Of the server itself, for those who send it signals. */
  readonly pid: number;
  /** Resolves when the server has ended. */
  readonly ended: Promise<void>;
  /** Ends the server, and removes its folder where that was made for it. */
  stop(): Promise<void>;
}

const programs = ["redis-server", "valkey-server"];
const patienceMs = 10_000;
/** Where what holds its standard input open goes, the server does; one that writes its first file has to be told twice. */
const guard =
  'exec 3<&0; "$@" </dev/null 3<&- & server=$!; echo $server; ' +
  "(cat <&3; while kill $server; do sleep 1; done) >/dev/null 2>&1 & guard=$!; " +
  "wait $server; code=$?; kill $guard 2>/dev/null; exit $code";

/** The program that `startPrivateRedis` would start; undefined where none is on the PATH. */
export function findRedisServer(): string | undefined {
  return programs.find((program) => spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0);
}

/** Rejects with UNREACHABLE where no server is installed, or it does not answer within 10 s. */
export async function startPrivateRedis(options: PrivateRedisOptions = {}): Promise<PrivateRedis> {
  const program = findRedisServer();
  if (program === undefined) {
    throw new QueueError("UNREACHABLE", `neither ${programs.join(" nor ")} is on the PATH; install Redis 7.0 or newer`);
  }
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), "queue-redis-"));
  mkdirSync(directory, { recursive: true });
  const port = options.port ?? (await freePort());
  const child = spawn("sh", ["-c", guard, "sh", program, ...settingsOf(options, directory, port)], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  ended.then(() => child.stdin?.end());
  const stop = async () => {
    child.ref();
    child.stdin?.end();
    await ended;
    if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
  };
  try {
    const pid = await pidOf(child);
    const password = options.settings?.requirepass;
    const url = `redis://${password === undefined ? "" : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`;
    await answering(url, ended);
    child.unref();
    return { url, port, directory, pid, ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function settingsOf({ appendfsync = "always", settings = {} }: PrivateRedisOptions, directory: string, port: number) {
  const all: Record<string, string> = {
    port: String(port),
    bind: "127.0.0.1",
    dir: directory,
    logfile: join(directory, "redis.log"),
    save: "",
    appendonly: appendfsync === "off" ? "no" : "yes",
    ...(appendfsync === "off" ? {} : { appendfsync }),
    "aof-load-truncated": "no",
    "maxmemory-policy": "noeviction",
    ...settings,
  };
  return Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
}

function pidOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    if (child.stdout === null) return;
    createInterface(child.stdout).once("line", (line) => resolve(Number(line)));
  });
}

async function answering(url: string, ended: Promise<void>): Promise<void> {
  const create = clientMaker({ url }, "queue-core start");
  let hasEnded = false;
  ended.then(() => {
    hasEnded = true;
  });
  for (const endMs = performance.now() + patienceMs; performance.now() < endMs; ) {
    if (hasEnded)
      throw new QueueError("UNREACHABLE", "the Redis that was started ended at once; its redis.log tells why");
    const client = create();
    client.on("error", () => undefined);
    try {
      await client.connect();
      await client.call("PING");
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      client.disconnect();
    }
  }
  throw new QueueError("UNREACHABLE", `the Redis that was started did not answer within ${patienceMs} ms`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
