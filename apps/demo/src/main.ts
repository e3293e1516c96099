/** `npm run demo`: the whole system in one back end, its addresses, and last `ready <url>`. */
import { fileURLToPath } from "node:url";
import { announce, runUntilStopped } from "./run-until-stopped.ts";
import { readSettings } from "./settings.ts";
import { startSystem } from "./system.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

await runUntilStopped(async (signal) => {
  const settings = readSettings(process.env, process.argv.slice(2), root);
  console.log(`starting on ${settings.dataDir}${settings.fresh ? " (fresh)" : ""}; Ctrl-C stops everything`);
  const system = await startSystem({ ...settings, storefront: true, crowd: true, signal });
  announce(system, settings.adminToken === undefined ? system.adminToken : "<your ADMIN_TOKEN>");
  return system;
});
