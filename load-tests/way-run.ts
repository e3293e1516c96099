/**
 * A spike on one of the four ways: the runner starts it with all that it works on, k6 loads it, and its truth is the
 * verdict.
 *
 * What can go wrong: k6 was told "won" more often than units were sold. The way's own record cannot show that, so
 * k6's count is held against what was stored too.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OneWay, startOneWay } from "@plateau/demo";
import { type Way, ways } from "@plateau/domain";
import { z } from "zod";
import { runK6 } from "./k6-process.ts";

const Counter = z.object({ count: z.number() }).optional();
const Summary = z.object({
  metrics: z.object({
    way_accepted: Counter,
    way_declined: Counter,
    way_refused: Counter,
    way_undecided: Counter,
    known_after: z.looseObject({ "p(99)": z.number(), med: z.number() }),
  }),
});

const marks = { pass: "✓", fail: "✗", unknown: "?" } as const;

/** `1` to `4`, or a name. Throws an error of one line that names them. */
export function wayNamed(text: string): Way {
  const way = ways.find((name, index) => name === text || String(index + 1) === text);
  if (way !== undefined) return way;
  const all = ways.map((name, index) => `${index + 1} or ${name}`).join(", ");
  throw new Error(`there is no way "${text}"; there are ${all}`);
}

/** Resolves with the exit code. */
export async function spikeOnWay(way: Way, env: NodeJS.ProcessEnv): Promise<number> {
  if (env.BASE_URL !== undefined) throw new Error("the runner starts a way itself: unset BASE_URL");
  const folder = mkdtempSync(join(tmpdir(), "plateau-way-"));
  let running: OneWay | undefined;
  try {
    console.log(`starting way ${ways.indexOf(way) + 1} (${way}) for this run`);
    running = await startOneWay({ way, folder: join(folder, "way"), databaseUrl: env.DATABASE_URL });
    const summaryFile = join(folder, "summary.json");
    const exitCode = await runK6("way-spike", summaryFile, { BASE_URL: running.url, SALE_ID: running.saleId });
    const { metrics } = Summary.parse(JSON.parse(readFileSync(summaryFile, "utf8")));
    const msOf = (name: "med" | "p(99)"): string => metrics.known_after[name].toFixed(0);
    const told = metrics.way_accepted?.count ?? 0;
    const counts = `${told} accepted, ${metrics.way_declined?.count ?? 0} declined, ${metrics.way_refused?.count ?? 0} refused`;
    const undecided = `${metrics.way_undecided?.count ?? 0} without a decision in time`;
    console.log(`${counts}, ${undecided}; p50 ${msOf("med")} ms, p99 ${msOf("p(99)")} ms`);
    const truth = await running.truth(told);
    for (const line of truth) console.log(`${marks[line.verdict]} ${line.title}: ${line.evidence}`);
    const verdict = truth.every((line) => line.verdict === "pass") ? "pass" : "fail";
    console.log(exitCode === 0 ? "k6: every threshold held" : `k6 ended with ${exitCode}: a threshold did not hold`);
    console.log(`truth of way ${ways.indexOf(way) + 1}: ${verdict}`);
    return exitCode === 0 && verdict === "pass" ? 0 : 1;
  } finally {
    await running?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
