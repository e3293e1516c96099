/**
 * `npm run simulate -- [--seeds N] [--from K] [--threads T] [--only log|sale]`: runs N seeds from K on, over all cores,
 * and ends with exit code 1 when one of them breaks a rule. `--seed X [--verbose]` runs that one again, exactly as it
 * was, and prints what happened.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { SeedThread } from "./seed-thread.ts";
import { runSeed, type SeedResult, simulations } from "./simulations.ts";

const linesAtTheEnd = 60;
const mostFailures = 5;

const options = readOptions();
process.exitCode = options.seed === undefined ? await runMany(options) : await runOne(options, options.seed);

interface Options {
  readonly seed: string | undefined;
  readonly seeds: number;
  readonly from: number;
  readonly threads: number;
  readonly verbose: boolean;
  readonly names: readonly string[];
}

function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: "string" },
        seeds: { type: "string", default: "300" },
        from: { type: "string", default: "1" },
        threads: { type: "string", default: String(availableParallelism()) },
        only: { type: "string" },
        verbose: { type: "boolean", default: false },
      },
    });
    const { seed, verbose, only } = values;
    if (only !== undefined && !(only in simulations)) throw new Error(`there is no simulation ${only}`);
    const names = only === undefined ? Object.keys(simulations) : [only];
    const [seeds, from, threads] = [count(values.seeds), count(values.from), count(values.threads)];
    return { seed, verbose, names, seeds, from, threads };
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    const names = Object.keys(simulations).join("|");
    console.error(`npm run simulate -- [--seeds N] [--from K] [--threads T] | --seed X [--verbose]; --only ${names}`);
    process.exit(1);
  }
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${text} is no whole number from 1 on`);
  return value;
}

async function runOne({ verbose, names }: Options, seed: string): Promise<number> {
  const { runs } = await runSeed(seed, "lines", names);
  for (const run of runs) {
    for (const line of verbose ? run.lines : run.lines.slice(-linesAtTheEnd)) console.log(line);
    console.log(`${run.simulation}: ${verdictOf(run)}\n  trace ${run.hash}, ${JSON.stringify(run.counts)}\n`);
  }
  return runs.every(({ violation }) => violation === undefined) ? 0 : 1;
}

async function runMany({ seeds, from, threads, names }: Options): Promise<number> {
  const startedMs = performance.now();
  const sums = new Map<string, number>();
  let failures = 0;
  let done = 0;
  let next = from;
  let toldMs = startedMs;
  const nextSeed = (): string | undefined => {
    if (next >= from + seeds || failures >= mostFailures) return undefined;
    return String(next++);
  };
  const onResult = ({ seed, runs }: SeedResult): void => {
    done++;
    for (const run of runs) {
      for (const [name, value] of Object.entries(run.counts)) sums.set(name, (sums.get(name) ?? 0) + value);
      if (run.violation === undefined) continue;
      failures++;
      console.log(`✗ seed ${seed}, ${run.simulation}: ${verdictOf(run)}`);
      console.log(`  again: npm run simulate -- --seed ${seed} --only ${run.simulation}`);
    }
    if (performance.now() - toldMs < 5_000) return;
    toldMs = performance.now();
    console.log(`  ${done} of ${seeds} seeds after ${((toldMs - startedMs) / 1_000).toFixed(0)} s`);
  };
  const feed = () => runThread(names, nextSeed, onResult);
  await Promise.all(Array.from({ length: Math.min(threads, seeds) }, feed));
  const seconds = (performance.now() - startedMs) / 1_000;
  const whole = [...sums].map(([name, value]) => `${value.toLocaleString("en")} ${name}`).join(", ");
  console.log(`${done} seeds in ${seconds.toFixed(1)} s: ${whole}`);
  console.log(failures === 0 ? "✓ no rule was broken" : `✗ ${failures} seeds broke a rule`);
  return failures === 0 ? 0 : 1;
}

/** Feeds one thread after the other until there is no seed left; resolves then. */
async function runThread(
  names: readonly string[],
  nextSeed: () => string | undefined,
  onResult: (result: SeedResult) => void,
): Promise<void> {
  let thread: SeedThread | undefined;
  for (let seed = nextSeed(); seed !== undefined; seed = nextSeed()) {
    thread ??= new SeedThread(names);
    onResult(await thread.run(seed));
    if (!thread.isAlive) thread = undefined;
  }
  await thread?.end("no seed is left");
}

function verdictOf({ violation }: SeedResult["runs"][number]): string {
  if (violation === undefined) return "no rule was broken";
  return `${violation.rule}, at ${violation.atMs.toFixed(3)} ms: ${violation.detail}`;
}
