/**
 * The life of a child of the supervisor, seen from the supervisor.
 *
 * starting → running → stopping → gone, and from running to gone by itself, after which it is started again: at most
 * `restartsPerMinute` times, then the child counts as broken. Only `kill` and `stop` are ends that nobody answers by
 * a start.
 * Children stand in process groups of their own, so that a terminal's Ctrl-C reaches the supervisor alone and the
 * order of the stop is the supervisor's.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { HostMessage } from "@plateau/hosting";
import { StartProblem } from "@plateau/hosting";
import type { Logger } from "pino";

export interface ChildOptions<R> {
  readonly name: string;
  /** A file beside this one. */
  readonly module: string;
  /** Asked at each start. */
  readonly env: () => Readonly<Record<string, string | undefined>>;
  /** File descriptor for its output, or "inherit". */
  readonly output: number | "inherit";
  /** Only its errors are shown. */
  readonly quiet: boolean;
  readonly log: Logger;
  readonly onStarted: (pid: number) => void;
  /** At each start, also when it was started again. */
  readonly onReady?: (ready: R) => void;
  /** What it says besides being ready. */
  readonly onNews?: (news: unknown) => void;
  readonly onEnded: (pid: number) => void;
  /** It ended too often, or `restart` is off and it ended by itself. */
  readonly onBroken: (problem: string) => void;
  readonly restart: boolean;
  readonly restartsPerMinute: number;
}

/** Parsed and stripped sources of an earlier start save a second of this one. */
const compileCache = fileURLToPath(new URL("../../../.tools/compile-cache", import.meta.url));
const startWithinMs = 60_000;
const startAgainAfterMs = 200;

/** Whatever it says when it is ready. */
export type SomeChild = Pick<Child<unknown>, "name" | "pid" | "stop" | "kill">;

export class Child<R> {
  readonly #options: ChildOptions<R>;
  #process: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  /** Whether its end would be our doing. */
  #wanted = false;
  readonly #restartsAtMs: number[] = [];

  constructor(options: ChildOptions<R>) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Resolves with what the child says when it is ready. Throws StartProblem with the child's own reason. */
  async start(): Promise<R> {
    if (this.#process !== undefined) throw new Error(`${this.#options.name} is running already`);
    const { name, module, env, output, quiet, onStarted, onNews } = this.#options;
    const path = fileURLToPath(new URL(module, import.meta.url));
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", path], {
      env: { NODE_COMPILE_CACHE: compileCache, ...process.env, ...env() },
      stdio: ["ignore", quiet ? "ignore" : output, output, "ipc"],
      detached: process.platform !== "win32",
      windowsHide: true,
    });
    this.#process = child;
    this.#wanted = true;
    this.#ended = new Promise((resolve) => child.once("exit", () => resolve()));
    if (child.pid !== undefined) onStarted(child.pid);
    child.on("message", (message: HostMessage<R>) => {
      if (message.type === "news") onNews?.(message.news);
    });
    let ready = false;
    child.once("exit", (code, signal) => this.#onExit(child, ready, signal ?? `exit code ${code}`));
    try {
      const answer = await firstMessage<R>(child, name);
      ready = true;
      this.#options.onReady?.(answer);
      return answer;
    } catch (error) {
      child.kill("SIGKILL");
      await this.#ended;
      throw error;
    }
  }

  /** Graceful; by force after `withinMs`. */
  async stop(withinMs: number): Promise<void> {
    this.#wanted = false;
    const child = this.#process;
    if (child === undefined) return;
    if (child.connected) child.send("stop", () => undefined);
    const force = setTimeout(() => child.kill("SIGKILL"), withinMs);
    await this.#ended;
    clearTimeout(force);
  }

  /** SIGKILL; resolves when it is gone. It stays so until `start`. */
  async kill(): Promise<void> {
    this.#wanted = false;
    this.#process?.kill("SIGKILL");
    await this.#ended;
  }

  #onExit(child: ChildProcess, wasReady: boolean, how: string): void {
    const { onEnded } = this.#options;
    this.#process = undefined;
    if (child.pid !== undefined) onEnded(child.pid);
    if (this.#wanted && wasReady) void this.#startAgain(how);
  }

  /** One that fails to start again has ended once more: what it works on may be starting again too. */
  async #startAgain(how: string): Promise<void> {
    const { name, log, onBroken, restart, restartsPerMinute } = this.#options;
    for (let reason = how; this.#wanted; ) {
      const nowMs = performance.now();
      this.#restartsAtMs.push(nowMs);
      while ((this.#restartsAtMs[0] ?? nowMs) < nowMs - 60_000) this.#restartsAtMs.shift();
      if (!restart || this.#restartsAtMs.length > restartsPerMinute) {
        onBroken(`the ${name} ended by itself (${reason})`);
        return;
      }
      log.warn(`the ${name} ended by itself (${reason}); starting it again`);
      try {
        await this.start();
        log.info(`the ${name} is back`);
        return;
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
        await sleep(startAgainAfterMs);
      }
    }
  }
}

function firstMessage<R>(child: ChildProcess, name: string): Promise<R> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      reject(new StartProblem(`the ${name} was not ready within ${startWithinMs / 1_000} s`));
    }, startWithinMs);
    const end = (settle: () => void): void => {
      clearTimeout(late);
      settle();
    };
    child.on("message", (message: HostMessage<R>) => {
      if (message.type === "ready") end(() => resolve(message.ready));
      if (message.type === "failed") {
        end(() => reject(new StartProblem(`the ${name} did not start: ${message.problem}`)));
      }
    });
    child.once("error", (error) => end(() => reject(error)));
    child.once("exit", (code, signal) => {
      end(() => reject(new StartProblem(`the ${name} ended while it started (${signal ?? `exit code ${code}`})`)));
    });
  });
}
