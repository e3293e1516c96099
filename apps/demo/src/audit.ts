/**
 * `npm run audit`: the invariants of the system, a line each; exit code 1 unless every one of them passed (an audit
 * that could not look is no pass).
 *
 * Asks the system at BASE_URL, else the demo that runs on this machine, else starts one on the data folder for the
 * time of the audit. `npm run audit -- <saleId>` looks at one sale.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AuditReport } from "@plateau/domain";
import { given, StartProblem } from "@plateau/hosting";
import { startCluster } from "./cluster-system.ts";
import { usableRedis } from "./foreground-cluster.ts";
import { readSettings, type Settings } from "./settings.ts";
import { type System, startSystem } from "./system.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const marks = { pass: "✓", fail: "✗", unknown: "?" };
const withinMs = 120_000;

process.exitCode = await main(process.argv[2]).catch((error: unknown) => {
  console.error(error instanceof StartProblem ? error.message : error);
  return 1;
});
process.exit();

async function main(saleId: string | undefined): Promise<number> {
  const settings = readSettings(process.env, [], root);
  const url = process.env.BASE_URL?.replace(/\/$/, "") ?? `http://${settings.host}:${settings.port}`;
  if (process.env.BASE_URL !== undefined || (await answers(url))) {
    return report(await ask(url, settings.adminToken ?? keptToken(settings), saleId), url);
  }
  console.log(`nothing answers at ${url}: starting a system on ${settings.dataDir} for the audit`);
  const system = await startFor(settings);
  try {
    return report(await ask(system.url, system.adminToken, saleId), settings.dataDir);
  } finally {
    await system.stop();
  }
}

/** On the Redis of REDIS_URL where there is one: its data are there, not in the data folder. */
async function startFor(settings: Settings): Promise<Pick<System, "url" | "adminToken" | "stop">> {
  const quiet = { ...settings, port: 0, storefront: false, crowd: false, logLevel: "warn" } as const;
  const redisUrl = given(process.env, "REDIS_URL");
  if (redisUrl === undefined) return startSystem(quiet);
  await usableRedis(redisUrl);
  return startCluster({ ...quiet, redisUrl, counts: { gateways: 1, workers: 1, consumers: 1 } });
}

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  return answer?.ok === true;
}

function keptToken({ dataDir }: Settings): string {
  const path = join(dataDir, "secrets.json");
  if (!existsSync(path)) throw new StartProblem(`set ADMIN_TOKEN: there is none kept in ${dataDir}`);
  return (JSON.parse(readFileSync(path, "utf8")) as { adminToken: string }).adminToken;
}

async function ask(url: string, token: string, saleId: string | undefined): Promise<AuditReport> {
  const query = saleId === undefined ? "" : `?${new URLSearchParams({ saleId })}`;
  const answer = await fetch(`${url}/api/ops/audit${query}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(withinMs),
  });
  if (!answer.ok) throw new StartProblem(`${url}/api/ops/audit answered ${answer.status}: ${await answer.text()}`);
  return AuditReport.parse(await answer.json());
}

function report({ verdict, invariants }: AuditReport, of: string): number {
  for (const { id, title, verdict: one, evidence } of invariants) {
    console.log(`${marks[one]} ${String(id).padStart(2)}  ${title}\n       ${evidence}`);
  }
  console.log(`\naudit of ${of}: ${verdict}`);
  return verdict === "pass" ? 0 : 1;
}
