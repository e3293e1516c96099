/**
 * `npm run cluster -- --gateways 2 --workers 2 --consumers 2`: the whole system as many processes over one Redis, its
 * processes and addresses, and last `ready <url>`. With REDIS_URL on that Redis, else on a private one that syncs each
 * answer. Ends as the demo does.
 */
import { fileURLToPath } from "node:url";
import { given } from "@plateau/hosting";
import { startForegroundCluster } from "./foreground-cluster.ts";
import { runUntilStopped } from "./run-until-stopped.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const redisUrl = given(process.env, "REDIS_URL");
const args = process.argv.slice(2);

await runUntilStopped((signal) => startForegroundCluster({ args, redisUrl, root, signal }));
