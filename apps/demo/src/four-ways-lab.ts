/**
 * The four ways in a terminal: on an embedded PostgreSQL in a folder that is gone afterwards, or in a schema of its own
 * in the database at DATABASE_URL.
 *
 * Promise: however it ends, no process, folder or schema of it is left.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FourWaysReport, Verdict, Way } from "@plateau/domain";
import { given, values } from "@plateau/hosting";
import { reportLines, titles } from "@plateau/labs";
import type { DataFolder } from "./data-folder.ts";
import { FourWaysRun } from "./four-ways-run.ts";
import { Surroundings, startOnFolder } from "./surroundings.ts";

/** Prints what it sees. Rejects where it was stopped, or the surroundings do not allow it. */
export async function runFourWaysLab(seed: number, signal: AbortSignal): Promise<Verdict> {
  const home = mkdtempSync(join(tmpdir(), "plateau-lab-"));
  try {
    const lab = await startOnFolder(
      { dataDir: join(home, "data"), signal },
      (folder) => new LabParts(folder, { home, seed }),
    );
    const stop = (): void => void lab.stop();
    signal.addEventListener("abort", stop, { once: true });
    const last = await lab.report;
    await lab.stop();
    signal.throwIfAborted();
    for (const line of reportLines(last)) console.log(line);
    if (last.problem !== null) console.error(last.problem);
    return last.verdict;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

interface RunningLab {
  readonly report: Promise<FourWaysReport>;
  stop(): Promise<void>;
}

class LabParts {
  readonly #surroundings: Surroundings;
  readonly #home: string;
  readonly #seed: number;
  #run: FourWaysRun | undefined;
  #stopped: Promise<void> | undefined;

  constructor(folder: DataFolder, { home, seed }: { readonly home: string; readonly seed: number }) {
    const databaseUrl = given(process.env, "DATABASE_URL");
    this.#surroundings = new Surroundings(folder, {
      databaseUrl: databaseUrl === undefined ? undefined : values.databaseUrl(databaseUrl, "DATABASE_URL"),
      logLevel: "warn",
    });
    this.#home = home;
    this.#seed = seed;
  }

  async start(): Promise<RunningLab> {
    const databaseUrl = await this.#surroundings.startPostgres();
    this.#surroundings.throwIfStopped();
    let shown: Way | undefined;
    const run = new FourWaysRun({
      databaseUrl,
      folder: join(this.#home, "four-ways"),
      seed: this.#seed,
      log: this.#surroundings.log,
      output: "inherit",
      onReport({ curves }) {
        const running = curves.find(({ state }) => state === "running")?.way;
        if (running !== undefined && running !== shown) console.log(`  … ${titles[running]}`);
        shown = running ?? shown;
      },
    });
    this.#run = run;
    return { report: run.ended, stop: () => this.stop() };
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    this.#surroundings.beginStop();
    await this.#run?.stop();
    await this.#surroundings.stop();
  }
}
