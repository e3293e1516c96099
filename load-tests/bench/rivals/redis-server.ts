/**
 * A private Redis for one side of the comparison: its own process, folder and socket, gone with the bench.
 *
 * Set up as https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/ describes for an append-only
 * file, and as BullMQ asks of any Redis (`maxmemory-policy noeviction`,
 * https://docs.bullmq.io/guide/going-to-production). Snapshots are off, so that no fork disturbs a round. A Unix
 * socket costs both ends less than TCP on the loopback; nobody else can meet it by accident.
 *
 * What the two settings are worth: with `always` Redis syncs the file before it answers, once for all commands that
 * came together; with `everysec` it answers first, and a crash of the machine loses up to two seconds of answers.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";

export type AppendFsync = "always" | "everysec";

export const redisDurability: Record<AppendFsync, string> = {
  always: "synced to disk",
  everysec: "in memory; synced up to two seconds later",
};

export interface PrivateRedis {
  readonly path: string;
  stop(): Promise<void>;
}

const programs = ["redis-server", "valkey-server"];

/** Undefined where none is installed. */
export function findRedisServer(): string | undefined {
  return programs.find((program) => spawnSync(program, ["--version"]).status === 0);
}

export async function startRedis(program: string, folder: string, appendFsync: AppendFsync): Promise<PrivateRedis> {
  mkdirSync(folder, { recursive: true });
  // The name of a socket must be short, and the folder's path need not be.
  const path = join(tmpdir(), `bench-${process.pid}-${appendFsync}.sock`);
  const settings = {
    port: "0",
    unixsocket: path,
    dir: folder,
    appendonly: "yes",
    appendfsync: appendFsync,
    save: "",
    "maxmemory-policy": "noeviction",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const server = spawn(program, options, { stdio: ["ignore", "ignore", "inherit"] });
  try {
    await answers(server, path);
  } catch (error) {
    server.kill("SIGKILL");
    throw error;
  }
  return { path, stop: () => end(server) };
}

async function answers(server: ChildProcess, path: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (server.exitCode !== null) throw new Error(`redis-server ended with code ${server.exitCode}`);
    const probe = new Redis({ path, lazyConnect: true, retryStrategy: () => null });
    probe.on("error", () => undefined);
    try {
      await probe.connect();
      await probe.ping();
      return;
    } catch {
      await sleep(50);
    } finally {
      probe.disconnect();
    }
  }
  throw new Error("redis-server did not answer within 5 s");
}

function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return Promise.resolve();
  const exited = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  server.kill("SIGTERM");
  return exited;
}
