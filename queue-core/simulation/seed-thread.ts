/**
 * A thread that runs seeds, one at a time.
 *
 * What can go wrong: a seed that hangs in real time (an endless loop) would hold everything up for ever; after
 * `seedWithinMs` without a result the thread is ended, and its seed counts as failed.
 */
import { Worker } from "node:worker_threads";
import type { SeedResult } from "./simulations.ts";

const seedWithinMs = 120_000;

export class SeedThread {
  readonly #thread: Worker;
  #tell: (told: SeedResult | string) => void = () => {};
  #isAlive = true;

  constructor(simulations: readonly string[]) {
    const url = new URL("./seed-worker.ts", import.meta.url);
    this.#thread = new Worker(url, { name: "simulation", workerData: simulations, execArgv: [] });
    this.#thread.on("message", (result: SeedResult) => this.#tell(result));
    this.#thread.on("error", (error) => this.end(String(error)));
    this.#thread.on("exit", (code) => this.end(`the thread ended with code ${code}`));
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  async run(seed: string): Promise<SeedResult> {
    const late = setTimeout(() => this.end(`not within ${seedWithinMs / 1_000} s of real time`), seedWithinMs);
    const told = await new Promise<SeedResult | string>((resolve) => {
      this.#tell = resolve;
      this.#thread.postMessage(seed);
    });
    clearTimeout(late);
    if (typeof told !== "string") return told;
    const violation = { rule: "a run ends", detail: told, atMs: 0 };
    return { seed, runs: [{ seed, simulation: "any", violation, hash: "", lines: [], counts: {} }] };
  }

  async end(why: string): Promise<void> {
    this.#isAlive = false;
    this.#tell(why);
    await this.#thread.terminate();
  }
}
