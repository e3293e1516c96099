/**
 * `node e2e/crash/run.ts`: the crash run, its expectations and the audit, a line each; exit code 1 where one does
 * not hold. `SEED=n` repeats a run. After a failure the run's folder stays, and is named.
 */
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { auditLines } from "@plateau/domain";
import { type CrashReport, crashRun } from "./crash-run.ts";
import { expectationsOf, killHit, wonBeforeKill } from "./expectations.ts";

const withinMs = 300_000;
/** The operating system decides when a kill takes place; one that missed its window is tried again. */
const attemptsMax = 3;
const seed = readSeed(process.env.SEED);
const folder = mkdtempSync(join(tmpdir(), "plateau-crash-"));
const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort(new Error(signal)));

let report: CrashReport | undefined;
try {
  const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(withinMs)]);
  for (let attempt = 1; report === undefined || (attempt <= attemptsMax && !killHit(report)); attempt++) {
    if (report !== undefined)
      console.log(`the kill came after win ${wonBeforeKill(report)}: this proves nothing, again`);
    report = await crashRun({ seed, folder: join(folder, `${attempt}`), signal, say: (line) => console.log(line) });
  }
  for (const line of auditLines(report.audit)) console.log(line);
  const expectations = expectationsOf(report);
  for (const { sentence, holds, seen } of expectations) console.log(`${holds ? "✓" : "✗"} ${sentence}: ${seen}`);
  if (!expectations.every(({ holds }) => holds)) process.exitCode = 1;
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
if (process.exitCode === 1) console.log(`failed; SEED=${seed} repeats it; its data, log and history are in ${folder}`);
else rmSync(folder, { recursive: true, force: true });

function readSeed(text: string | undefined): number {
  if (text === undefined || text === "") return randomInt(2 ** 31);
  const seed = Number(text);
  if (!Number.isInteger(seed)) throw new Error(`SEED must be a whole number, not "${text}"`);
  return seed;
}
