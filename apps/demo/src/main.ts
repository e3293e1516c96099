/**
 * `npm run demo`: the whole system, its addresses, and last `ready <url>`. In one back end on a log of its own; where
 * REDIS_URL is set, as many processes on that Redis, just as `npm run cluster` starts them.
 */
import { fileURLToPath } from "node:url";
import { given } from "@plateau/hosting";
import { startForegroundCluster } from "./foreground-cluster.ts";
import { announce, runUntilStopped } from "./run-until-stopped.ts";
import { readSettings } from "./settings.ts";
import { startSystem } from "./system.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const redisUrl = given(process.env, "REDIS_URL");
const args = process.argv.slice(2);

await runUntilStopped((signal) =>
  redisUrl === undefined ? startOne(signal) : startForegroundCluster({ args, redisUrl, root, signal }),
);

async function startOne(signal: AbortSignal) {
  const settings = readSettings(process.env, args, root);
  console.log(`starting on ${settings.dataDir}${settings.fresh ? " (fresh)" : ""}; Ctrl-C stops everything`);
  const system = await startSystem({ ...settings, storefront: true, crowd: true, signal });
  announce(system, settings.adminToken === undefined ? system.adminToken : "<your ADMIN_TOKEN>");
  return system;
}
