/** The simulations of which each seed runs one after the other. */
import { simulateLog } from "./log/simulate-log.ts";
import type { RunOptions, RunResult } from "./run.ts";
import { simulateSale } from "./sale/simulate-sale.ts";

export const simulations: Readonly<Record<string, (options: RunOptions) => Promise<RunResult>>> = {
  log: simulateLog,
  sale: simulateSale,
};

export interface SeedResult {
  readonly seed: string;
  readonly runs: readonly (RunResult & { readonly simulation: string })[];
}

/** Ends with the first that breaks a rule. */
export async function runSeed(seed: string, trace: "hash" | "lines", names: readonly string[]): Promise<SeedResult> {
  const runs: SeedResult["runs"][number][] = [];
  for (const name of names) {
    const run = simulations[name];
    if (run === undefined) throw new Error(`there is no simulation ${name}`);
    const result = await run({ seed, trace });
    runs.push({ ...result, simulation: name });
    if (result.violation !== undefined) break;
  }
  return { seed, runs };
}
