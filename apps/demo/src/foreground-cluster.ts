/**
 * The many-process profile in the foreground: `npm run cluster`, and `npm run demo` where REDIS_URL is set.
 *
 * What can go wrong: an address that is none, or at which no Redis can be used. It is told in one line, without its
 * password, before anything was started.
 */
import { join } from "node:path";
import { StartProblem, values } from "@plateau/hosting";
import { QueueError } from "queue-core";
import { checkRedis, describeAddress } from "queue-core/redis";
import { type Cluster, type ClusterKind, clusterKinds, startCluster } from "./cluster-system.ts";
import { announce } from "./run-until-stopped.ts";
import { readSettings } from "./settings.ts";

const usual = 2;

export interface ForegroundCluster {
  /** What was typed behind the command. */
  readonly args: readonly string[];
  /** As REDIS_URL gives it; undefined: a private Redis. */
  readonly redisUrl: string | undefined;
  readonly root: string;
  readonly signal: AbortSignal;
}

/** Prints what there is to know. Throws StartProblem. */
export async function startForegroundCluster({ args, redisUrl, root, signal }: ForegroundCluster): Promise<Cluster> {
  const { counts, others } = readCounts(args);
  const settings = readSettings(process.env, others, root);
  if (settings.fresh && redisUrl !== undefined) {
    throw new StartProblem("--fresh empties the data folder alone: empty the Redis of REDIS_URL yourself first");
  }
  const place = redisUrl === undefined ? "a Redis of its own" : `the Redis at ${await usableRedis(redisUrl)}`;
  const kinds = clusterKinds.map((kind) => `${counts[kind]} ${kind}`).join(", ");
  console.log(`many processes on ${place} (REDIS_URL is ${redisUrl === undefined ? "not set" : "set"}): ${kinds}`);
  console.log(`starting on ${settings.dataDir}${settings.fresh ? " (fresh)" : ""}; Ctrl-C stops everything`);
  const cluster = await startCluster({ ...settings, counts, redisUrl, storefront: true, crowd: true, signal });
  printProcesses(cluster);
  if (cluster.dataLost !== undefined) tellLoss(cluster, cluster.dataLost);
  else announce(cluster, settings.adminToken === undefined ? cluster.adminToken : "<your ADMIN_TOKEN>");
  return cluster;
}

/** Resolves with its host and port. Throws StartProblem. */
export async function usableRedis(url: string): Promise<string> {
  values.redisUrl(url, "REDIS_URL");
  const address = { url };
  await checkRedis({ address }).catch((error: unknown) => {
    if (!(error instanceof QueueError)) throw error;
    throw new StartProblem(`REDIS_URL: ${error.message.replace(`${error.code}: `, "")}`);
  });
  return describeAddress(address);
}

/** `--gateways 3` or `--gateways=3`, and likewise for workers and consumers. Throws StartProblem. */
function readCounts(args: readonly string[]): { counts: Record<ClusterKind, number>; others: readonly string[] } {
  const counts: Record<ClusterKind, number> = { gateways: usual, workers: usual, consumers: usual };
  const others: string[] = [];
  const left = args.flatMap((arg) => (arg.includes("=") ? arg.split("=", 2) : [arg]));
  while (left.length > 0) {
    const arg = left.shift() ?? "";
    const kind = clusterKinds.find((one) => arg === `--${one}`);
    if (kind === undefined) others.push(arg);
    else counts[kind] = values.count(left.shift() ?? "", arg);
  }
  return { counts, others };
}

function tellLoss({ url, dataDir }: Cluster, reason: string): void {
  const token = `the adminToken in ${join(dataDir, "secrets.json")}, unless ADMIN_TOKEN was set`;
  console.error(`NOT SELLING: ${reason}`);
  console.error("to go on with the data that are left, as an operator (orders that have no stock behind them stay):");
  console.error(`  curl -X POST -H "Authorization: Bearer $TOKEN" ${url}/api/ops/data-loss/acceptance`);
  console.error(`  (TOKEN: ${token})`);
}

function printProcesses({ processes }: Cluster): void {
  const lines = processes.map(
    ({ name, pid, url = "" }) => `  ${name.padEnd(11)} process ${String(pid).padEnd(8)} ${url}`,
  );
  console.log(lines.map((line) => line.trimEnd()).join("\n"));
}
