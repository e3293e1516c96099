/**
 * A thread that runs seeds, one at a time.
 *
 * What can go wrong: a seed that hangs in real time (an endless loop) would hold everything up for ever; after
 * `seedWithinMs` without a result the thread is ended, and its seed counts as failed.
 */
import { Worker } from "node:worker_threads";
import type { RunResult } from "./sale/simulate-sale.ts";

const seedWithinMs = 120_000;

export class SeedThread {
  readonly #thread = new Worker(new URL("./seed-worker.ts", import.meta.url), { name: "simulation", execArgv: [] });
  #tell: (told: RunResult | string) => void = () => {};
  #isAlive = true;

  constructor() {
    this.#thread.on("message", (result: RunResult) => this.#tell(result));
    this.#thread.on("error", (error) => this.end(String(error)));
    this.#thread.on("exit", (code) => this.end(`the thread ended with code ${code}`));
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  async run(seed: string): Promise<RunResult> {
    const late = setTimeout(() => this.end(`not within ${seedWithinMs / 1_000} s of real time`), seedWithinMs);
    const told = await new Promise<RunResult | string>((resolve) => {
      this.#tell = resolve;
      this.#thread.postMessage(seed);
    });
    clearTimeout(late);
    if (typeof told !== "string") return told;
    return { seed, violation: { rule: "a run ends", detail: told, atMs: 0 }, hash: "", lines: [], counts: {} };
  }

  async end(why: string): Promise<void> {
    this.#isAlive = false;
    this.#tell(why);
    await this.#thread.terminate();
  }
}
