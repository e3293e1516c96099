/** For tests: a Redis of its own, on a socket in a folder of its own, synced to disk with each command. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** Undefined where none is installed. */
export const redisProgram = ["redis-server", "valkey-server"].find(
  (program) => spawnSync(program, ["--version"]).status === 0,
);

export class PrivateRedis {
  readonly #folder: string;
  #server: ChildProcess | undefined;
  /** As a connection string: the socket's path. */
  readonly url: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.url = join(folder, "s");
  }

  static async start(): Promise<PrivateRedis> {
    // Short: a socket's path may have some 100 characters.
    const redis = new PrivateRedis(await mkdtemp(join(tmpdir(), "redis-")));
    await redis.#start();
    return redis;
  }

  /** Ends it as a crash would, and starts it on what is on the disk. */
  async restart(): Promise<void> {
    await this.#end();
    await this.#start();
  }

  async stop(): Promise<void> {
    await this.#end();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Everything in it is gone. */
  async loseAll(): Promise<void> {
    await this.#ask("FLUSHALL");
  }

  async #start(): Promise<void> {
    const settings = `--port 0 --unixsocket ${this.url} --dir ${this.#folder} --appendonly yes --appendfsync always`;
    const more = ["--save", "", "--maxmemory-policy", "noeviction", "--loglevel", "warning"];
    this.#server = spawn(redisProgram ?? "redis-server", [...settings.split(" "), ...more], { stdio: "ignore" });
    for (let tries = 0; tries < 200; tries++) {
      if ((await this.#ask("PING").catch(() => "")).startsWith("+PONG")) return;
      await delay(25);
    }
    throw new Error("redis-server did not answer within 5 s");
  }

  async #end(): Promise<void> {
    const server = this.#server;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    server.kill("SIGKILL");
    await once(server, "exit");
  }

  async #ask(command: string): Promise<string> {
    const socket = createConnection(this.url);
    try {
      await once(socket, "connect");
      socket.write(`${command}\r\n`);
      const [answer] = (await once(socket, "data")) as [Buffer];
      return answer.toString();
    } finally {
      socket.destroy();
    }
  }
}
