/**
 * `npm run load -- smoke|spike|spike --way <1..4 or name>`: k6 against BASE_URL, or against a system that it starts and stops itself; k6's own
 * output as it comes, then the bars, and last the audit's verdict. Exit code 0 only when all of it is well; a spike
 * that offered too little is reported as invalid and ends with 1.
 *
 * What can go wrong: k6 is missing, or its own K6_ variables change the plan; the first is told in one line, the
 * second are not passed on (k6-process.ts). Settings that a scenario changes are put back, also after a failure.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { auditLines } from "@plateau/domain";
import { type Plan, smoke, spike } from "./k6/plan.ts";
import { mustHaveK6, runK6 } from "./k6-process.ts";
import { OpsCalls } from "./ops-calls.ts";
import { judgeSpike, SpikeSummary } from "./spike-verdict.ts";
import { openTarget, type Target } from "./target.ts";
import { spikeOnWay, wayNamed } from "./way-run.ts";

const plans: Readonly<Record<string, Plan>> = { smoke, spike };

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 1;
});

async function main([name = "", ...rest]: readonly string[]): Promise<number> {
  const plan = plans[name];
  const [option, wayName = "", ...more] = rest;
  const isWay = name === "spike" && option === "--way" && more.length === 0;
  if (plan === undefined || (option !== undefined && !isWay)) {
    throw new Error("usage: npm run load -- smoke, -- spike, or -- spike --way <1 to 4, or its name>");
  }
  const way = isWay ? wayNamed(wayName) : undefined;
  mustHaveK6();
  if (way !== undefined) return spikeOnWay(way, process.env);
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
