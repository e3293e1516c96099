/**
 * `npm test`, `npm run check` (`--fast`) and `npm run test:deep` (`--deep`, for releases: more seeds): every check, one step after the other, each with its own output when it
 * fails, a line each at the end, and last `N passed, N failed`.
 *
 * What can go wrong: a machine lacks a browser or k6. What may be installed is installed after saying so; what stays
 * missing is named together with the line that would install it, and is a failure where `CI=true`.
 */

import { endSteps, runStep, type StepResult } from "./runner/run-step.ts";
import { type Depth, stepsFor } from "./runner/steps.ts";
import { findTools } from "./runner/tools.ts";

const options = readOptions(process.argv.slice(2));

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    endSteps();
    process.exitCode = 130;
  });
}

const startedMs = performance.now();
const tools = options.depth === "fast" ? undefined : await findTools({ install: options.install });
const results: StepResult[] = [];
for (const group of stepsFor({ depth: options.depth, tools })) {
  if (process.exitCode === 130) break;
  results.push(...(await Promise.all(group.map((step) => runStep(step)))));
}
report(results);
process.exit();

function report(ended: readonly StepResult[]): void {
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1).padStart(6)} s`;
  const marks = { passed: "✓", failed: "✗", "left out": "–" };
  console.log("");
  for (const { name, outcome, tookMs, note } of ended) {
    console.log(`${marks[outcome]} ${name.padEnd(18)} ${seconds(tookMs)}  ${note}`);
  }
  console.log(`  in all             ${seconds(performance.now() - startedMs)}`);
  const leftOut = ended.filter(({ outcome }) => outcome === "left out");
  if (leftOut.length > 0) {
    console.log("\nnot tested:");
    for (const { name, note } of leftOut) console.log(`  ${name}: ${note}`);
  }
  const passed = ended.filter(({ outcome }) => outcome === "passed").length;
  const failed = ended.filter(({ outcome }) => outcome === "failed").length;
  console.log(`\n${passed} passed, ${failed} failed`);
  if (process.exitCode !== 130) process.exitCode = failed === 0 ? 0 : 1;
}

function readOptions(args: readonly string[]): { depth: Depth; install: boolean } {
  const unknown = args.find((arg) => !["--fast", "--deep", "--install"].includes(arg));
  if (unknown !== undefined) {
    console.error(`unknown option ${unknown}; there is --install`);
    process.exit(1);
  }
  const depth = args.includes("--fast") ? "fast" : args.includes("--deep") ? "deep" : "usual";
  return { depth, install: args.includes("--install") };
}
