/**
 * One of the four ways with all that it works on: PostgreSQL, the outside world, its own process; for a load that
 * comes from outside. Promise: after `stop`, no process, folder or table of it is left.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { FourWaysCheck, type Way } from "@plateau/domain";
import { oneWayModule, type ServedWay } from "@plateau/labs";
import type { Child } from "./child-process.ts";
import type { DataFolder } from "./data-folder.ts";
import { Surroundings, startOnFolder } from "./surroundings.ts";

export interface OneWay {
  readonly url: string;
  readonly saleId: string;
  /** Once what follows is done. `accepted`: how many were told so, as heard outside. */
  truth(accepted: number): Promise<readonly FourWaysCheck[]>;
  stop(): Promise<void>;
}

export interface OneWayOptions {
  readonly way: Way;
  /** Made; whoever gives it removes it. */
  readonly folder: string;
  /** Default: an embedded PostgreSQL in the folder. */
  readonly databaseUrl?: string | undefined;
}

const stopWithinMs = 3_000;
const truthWithinMs = 60_000;

/** Throws StartProblem, with one line, where the surroundings do not allow it. */
export function startOneWay(options: OneWayOptions): Promise<OneWay> {
  mkdirSync(options.folder, { recursive: true });
  return startOnFolder({ dataDir: join(options.folder, "data") }, (folder) => new OneWayParts(folder, options));
}

class OneWayParts {
  readonly #surroundings: Surroundings;
  readonly #options: OneWayOptions;
  #way: Child<ServedWay> | undefined;

  constructor(folder: DataFolder, options: OneWayOptions) {
    this.#options = options;
    const { databaseUrl } = options;
    this.#surroundings = new Surroundings(folder, { databaseUrl, logLevel: "warn", restart: false });
  }

  async start(): Promise<OneWay> {
    const { way, folder } = this.#options;
    const [databaseUrl, sandboxUrl] = await Promise.all([
      this.#surroundings.startPostgres(),
      this.#surroundings.startSandbox(),
    ]);
    this.#way = this.#surroundings.child<ServedWay>({
      name: way,
      module: oneWayModule.href,
      env: () => ({
        DATABASE_URL: databaseUrl,
        SANDBOX_URL: sandboxUrl,
        FOUR_WAYS_FOLDER: join(folder, "logs"),
        FOUR_WAYS_WAY: way,
      }),
    });
    const { url, saleId, truthUrl } = await this.#way.start();
    return {
      url,
      saleId,
      async truth(accepted) {
        const answer = await fetch(`${truthUrl}/?accepted=${accepted}`, { signal: AbortSignal.timeout(truthWithinMs) });
        if (!answer.ok) throw new Error(`the truth of ${way} could not be looked at`);
        return FourWaysCheck.array().parse(await answer.json());
      },
      stop: () => this.stop(),
    };
  }

  async stop(): Promise<void> {
    this.#surroundings.beginStop();
    await this.#way?.stop(stopWithinMs);
    await this.#surroundings.stop();
  }
}
