/**
 * `npm run simulate -- [--seeds N] [--from K] [--threads T]`: runs N seeds from K on, over all cores, and ends with
 * exit code 1 when one of them breaks a rule. `--seed X [--verbose]` runs that one again, exactly as it was, and prints
 * what happened.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type RunResult, simulateSale } from "./sale/simulate-sale.ts";
import { SeedThread } from "./seed-thread.ts";

const linesAtTheEnd = 60;
const mostFailures = 5;

const options = readOptions();
process.exitCode = options.seed === undefined ? await runMany(options) : await runOne(options.seed, options.verbose);

interface Options {
  readonly seed: string | undefined;
  readonly seeds: number;
  readonly from: number;
  readonly threads: number;
  readonly verbose: boolean;
}

function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: "string" },
        seeds: { type: "string", default: "300" },
        from: { type: "string", default: "1" },
        threads: { type: "string", default: String(availableParallelism()) },
        verbose: { type: "boolean", default: false },
      },
    });
    const { seed, verbose } = values;
    return { seed, verbose, seeds: count(values.seeds), from: count(values.from), threads: count(values.threads) };
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    console.error("npm run simulate -- [--seeds N] [--from K] [--threads T] | --seed X [--verbose]");
    process.exit(1);
  }
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${text} is no whole number from 1 on`);
  return value;
}

async function runOne(seed: string, verbose: boolean): Promise<number> {
  const result = await simulateSale({ seed, trace: "lines" });
  for (const line of verbose ? result.lines : result.lines.slice(-linesAtTheEnd)) console.log(line);
  console.log(`\nseed ${seed}: ${verdictOf(result)}\ntrace ${result.hash}, ${JSON.stringify(result.counts)}`);
  return result.violation === undefined ? 0 : 1;
}

async function runMany({ seeds, from, threads }: Options): Promise<number> {
  const startedMs = performance.now();
  const failures: RunResult[] = [];
  const sums = new Map<string, number>();
  let done = 0;
  let next = from;
  let toldMs = startedMs;
  const nextSeed = (): string | undefined => {
    if (next >= from + seeds || failures.length >= mostFailures) return undefined;
    return String(next++);
  };
  const onResult = (result: RunResult): void => {
    done++;
    for (const [name, value] of Object.entries(result.counts)) sums.set(name, (sums.get(name) ?? 0) + value);
    if (result.violation !== undefined) {
      failures.push(result);
      console.log(`✗ seed ${result.seed}: ${verdictOf(result)}\n  again: npm run simulate -- --seed ${result.seed}`);
    }
    if (performance.now() - toldMs < 5_000) return;
    toldMs = performance.now();
    console.log(`  ${done} of ${seeds} seeds after ${((toldMs - startedMs) / 1_000).toFixed(0)} s`);
  };
  await Promise.all(Array.from({ length: Math.min(threads, seeds) }, () => runThread(nextSeed, onResult)));
  const seconds = (performance.now() - startedMs) / 1_000;
  const whole = [...sums].map(([name, value]) => `${value.toLocaleString("en")} ${name}`).join(", ");
  console.log(`${done} seeds in ${seconds.toFixed(1)} s: ${whole}`);
  console.log(failures.length === 0 ? "✓ no rule was broken" : `✗ ${failures.length} seeds broke a rule`);
  return failures.length === 0 ? 0 : 1;
}

/** Feeds one thread after the other until there is no seed left; resolves then. */
async function runThread(nextSeed: () => string | undefined, onResult: (result: RunResult) => void): Promise<void> {
  let thread: SeedThread | undefined;
  for (let seed = nextSeed(); seed !== undefined; seed = nextSeed()) {
    thread ??= new SeedThread();
    onResult(await thread.run(seed));
    if (!thread.isAlive) thread = undefined;
  }
  await thread?.end("no seed is left");
}

function verdictOf({ violation }: RunResult): string {
  if (violation === undefined) return "no rule was broken";
  return `${violation.rule}, at ${violation.atMs.toFixed(3)} ms: ${violation.detail}`;
}
