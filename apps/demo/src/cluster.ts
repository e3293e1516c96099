/**
 * `npm run cluster -- --gateways 2 --workers 2 --consumers 2`: the whole system as many processes over one Redis, its
 * processes and addresses, and last `ready <url>`. With REDIS_URL on that Redis, else on a private one that syncs each
 * answer. Ends as the demo does.
 */
import { fileURLToPath } from "node:url";
import { given, StartProblem, values } from "@plateau/hosting";
import { type Cluster, type ClusterKind, clusterKinds, startCluster } from "./cluster-system.ts";
import { announce, runUntilStopped } from "./run-until-stopped.ts";
import { readSettings } from "./settings.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const usual = 2;

await runUntilStopped(async (signal) => {
  const { counts, others } = readCounts(process.argv.slice(2));
  const settings = readSettings(process.env, others, root);
  const redisUrl = given(process.env, "REDIS_URL");
  if (redisUrl !== undefined) values.redisUrl(redisUrl, "REDIS_URL");
  if (settings.fresh && redisUrl !== undefined) {
    throw new StartProblem("--fresh empties the data folder alone: empty the Redis of REDIS_URL yourself first");
  }
  console.log(`starting on ${settings.dataDir}${settings.fresh ? " (fresh)" : ""}; Ctrl-C stops everything`);
  const cluster = await startCluster({ ...settings, counts, redisUrl, storefront: true, crowd: true, signal });
  printProcesses(cluster);
  announce(cluster, settings.adminToken === undefined ? cluster.adminToken : "<your ADMIN_TOKEN>");
  return cluster;
});

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

function printProcesses({ processes }: Cluster): void {
  const lines = processes.map(
    ({ name, pid, url = "" }) => `  ${name.padEnd(11)} process ${String(pid).padEnd(8)} ${url}`,
  );
  console.log(lines.map((line) => line.trimEnd()).join("\n"));
}
