/**
 * `npm run load -- smoke|spike`: k6 against BASE_URL, or against a system that it starts and stops itself; k6's own
 * output as it comes, then the bars, and last the audit's verdict. Exit code 0 only when all of it is well; a spike
 * that offered too little is reported as invalid and ends with 1.
 *
 * What can go wrong: k6 is missing, or its own K6_ variables change the plan; the first is told in one line, the
 * second are not passed on. Settings that a scenario changes are put back, also after a failure.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { auditLines } from "@plateau/domain";
import { type Plan, smoke, spike } from "./k6/plan.ts";
import { OpsCalls } from "./ops-calls.ts";
import { judgeSpike, SpikeSummary } from "./spike-verdict.ts";
import { openTarget, type Target } from "./target.ts";

const plans: Readonly<Record<string, Plan>> = { smoke, spike };
const k6 = process.env.K6_PATH ?? "k6";
const k6WithinMs = 5 * 60_000;

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 1;
});

async function main([name = "", ...rest]: readonly string[]): Promise<number> {
  const plan = plans[name];
  if (plan === undefined || rest.length > 0) {
    throw new Error(`usage: npm run load -- <scenario>; there are ${Object.keys(plans).join(" and ")}`);
  }
  if (spawnSync(k6, ["version"]).status !== 0) {
    throw new Error("k6 was not found; install it by: go install go.k6.io/k6@v1.8.1 (or set K6_PATH)");
  }
  const target = await openTarget(process.env);
  const folder = mkdtempSync(join(tmpdir(), "plateau-k6-"));
  try {
    return await runScenario(name, plan, target, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await target.stop();
  }
}

async function runScenario(name: string, plan: Plan, target: Target, folder: string): Promise<number> {
  const ops = new OpsCalls(target);
  const shoppersFile = join(folder, "shoppers.json");
  const summaryFile = join(folder, "summary.json");
  writeFileSync(shoppersFile, JSON.stringify(await ops.makeShoppers(plan.shoppers)));
  const saleId = await ops.openSale(plan);
  const putBack = await ops.changeKnobs(plan.knobs);
  let exitCode: number;
  try {
    exitCode = await runK6(name, summaryFile, {
      BASE_URL: target.url,
      ADMIN_TOKEN: target.adminToken,
      SALE_ID: saleId,
      SHOPPERS_FILE: shoppersFile,
    });
  } finally {
    await putBack();
  }
  const passed = exitCode === 0;
  console.log(passed ? "k6: every threshold held" : `k6 ended with ${exitCode}: a threshold did not hold`);
  const bars = name === "spike" ? readBars(summaryFile, plan) : undefined;
  for (const line of bars?.lines ?? []) console.log(line);
  if (bars !== undefined) console.log(`spike: ${bars.verdict}`);
  const audit = await ops.audit(saleId);
  for (const line of auditLines(audit)) console.log(line);
  return passed && audit.verdict === "pass" && (bars === undefined || bars.verdict === "met") ? 0 : 1;
}

function readBars(summaryFile: string, plan: Plan) {
  return judgeSpike(SpikeSummary.parse(JSON.parse(readFileSync(summaryFile, "utf8"))), plan);
}

/** Resolves with k6's exit code; 99 is a threshold that did not hold. */
function runK6(name: string, summaryFile: string, variables: Record<string, string>): Promise<number> {
  const inherited = Object.entries(process.env).filter(([key]) => !key.startsWith("K6_"));
  const script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const args = [
    "run",
    "--quiet",
    "--no-usage-report",
    "--address",
    "127.0.0.1:0",
    "--summary-export",
    summaryFile,
    script,
  ];
  const child = spawn(k6, args, { env: { ...Object.fromEntries(inherited), ...variables }, stdio: "inherit" });
  const late = setTimeout(() => child.kill("SIGKILL"), k6WithinMs);
  // A terminal's Ctrl-C reaches k6 too, which then tears down and ends; this one waits for that.
  const wait = (): void => {};
  process.on("SIGINT", wait);
  const end = (): void => {
    clearTimeout(late);
    process.off("SIGINT", wait);
  };
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      end();
      reject(error);
    });
    child.once("exit", (code) => {
      end();
      resolve(code ?? 1);
    });
  });
}
