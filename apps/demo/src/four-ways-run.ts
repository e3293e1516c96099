/**
 * One experiment of the four ways: its own process, and an outside world (sandbox) of its own, so that neither the
 * shop's providers nor its threads notice it.
 *
 * What can go wrong: one of the two ends by itself; the report then says so, and the other is ended too. Promise: once
 * `ended` has resolved, neither runs any more, and the folder is gone.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type FourWaysReport, noFourWaysYet } from "@plateau/domain";
import { fourWaysModule, type Size } from "@plateau/labs";
import type { Logger } from "pino";
import { Child, type SomeChild } from "./child-process.ts";
import type { SandboxReady } from "./sandbox-host.ts";

export interface FourWaysOptions {
  readonly databaseUrl: string;
  /** Of this run alone; made, and removed in the end. */
  readonly folder: string;
  readonly seed: number;
  readonly size?: Size;
  /** As of processes: from 0 on, more is less claim to the processor. */
  readonly niceness?: number;
  readonly log: Logger;
  /** File descriptor for what the processes print. */
  readonly output: number | "inherit";
  readonly onReport?: (report: FourWaysReport) => void;
}

/** Enough for a statement under way and for dropping the tables. */
const patienceMs = 10_000;
/** It keeps nothing that anybody will ask for. */
const sandboxStopMs = 500;

export class FourWaysRun {
  readonly #options: FourWaysOptions;
  readonly #children: SomeChild[] = [];
  #stopWithinMs = patienceMs;
  readonly #over = Promise.withResolvers<void>();
  #report: FourWaysReport = { ...noFourWaysYet, state: "starting", startedAt: new Date().toISOString() };
  /** Resolves with the last report. */
  readonly ended: Promise<FourWaysReport>;

  constructor(options: FourWaysOptions) {
    this.#options = options;
    this.ended = this.#run();
  }

  get report(): FourWaysReport {
    return this.#report;
  }

  /**
   * Resolves when no process of it is left. Where those did not end within that time, their tables wait for the next
   * run, which removes them.
   */
  async stop({ withinMs = patienceMs }: { readonly withinMs?: number } = {}): Promise<void> {
    this.#stopWithinMs = withinMs;
    this.#finish({ state: "stopped" });
    await this.ended;
  }

  async #run(): Promise<FourWaysReport> {
    const { databaseUrl, folder, seed, size = "usual", niceness = 0 } = this.#options;
    try {
      await rm(folder, { recursive: true, force: true });
      const sandbox = this.#child<SandboxReady>("sandbox", "./sandbox-host.ts", {
        SANDBOX_FOLDER: join(folder, "sandbox"),
        SANDBOX_PORT: "0",
      });
      const { url } = await sandbox.start();
      const ways = this.#child("four ways", fourWaysModule.href, {
        DATABASE_URL: databaseUrl,
        SANDBOX_URL: url,
        FOUR_WAYS_FOLDER: join(folder, "logs"),
        FOUR_WAYS_SEED: String(seed),
        FOUR_WAYS_SIZE: size,
        FOUR_WAYS_NICENESS: String(niceness),
      });
      await ways.start();
      await this.#over.promise;
    } catch (error) {
      this.#finish({ state: "failed", problem: error instanceof Error ? error.message : String(error) });
    }
    // The ways first: the sandbox is what they work on.
    const [sandbox, ways] = this.#children;
    await ways?.stop(this.#stopWithinMs);
    await sandbox?.stop(sandboxStopMs);
    await rm(folder, { recursive: true, force: true });
    return this.#report;
  }

  #child<R>(name: string, module: string, env: Readonly<Record<string, string>>): Child<R> {
    const { log, output } = this.#options;
    const child = new Child<R>({
      name,
      module,
      env: () => ({ LOG_LEVEL: "warn", ...env }),
      output,
      quiet: false,
      log,
      restart: false,
      restartsPerMinute: 0,
      onStarted: () => undefined,
      onEnded: () => undefined,
      onNews: (news) => this.#hear(news as FourWaysReport),
      onBroken: (problem) => this.#finish({ state: "failed", problem }),
    });
    this.#children.push(child);
    return child;
  }

  #hear(report: FourWaysReport): void {
    // What comes after the end was on its way before it.
    if (isOver(this.#report)) return;
    this.#report = report;
    this.#options.onReport?.(report);
    if (isOver(report)) this.#over.resolve();
  }

  #finish(end: Pick<FourWaysReport, "state"> & Partial<FourWaysReport>): void {
    if (!isOver(this.#report)) {
      this.#report = { ...this.#report, remainingMs: null, ...end };
      this.#options.onReport?.(this.#report);
    }
    this.#over.resolve();
  }
}

const isOver = ({ state }: FourWaysReport): boolean => !["starting", "running"].includes(state);
