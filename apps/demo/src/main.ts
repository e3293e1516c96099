/**
 * `npm run demo`: the whole system, its addresses, and last `ready <url>`. Ctrl-C, SIGTERM or the end of whoever
 * started it stops everything; exit code 0 then, 1 where something kept it from starting or from going on.
 */
import { fileURLToPath } from "node:url";
import { StartProblem } from "@plateau/hosting";
import { readSettings } from "./settings.ts";
import { type System, startSystem } from "./system.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const stopping = new AbortController();

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "disconnect"] as const) {
  process.on(signal, () => stopping.abort());
}
process.channel?.unref();

process.exitCode = await demo().catch((error: unknown) => {
  if (stopping.signal.aborted) return 0;
  console.error(error instanceof StartProblem ? error.message : error);
  return 1;
});
// A proxied connection or a timer of a library must not keep a stopped demo alive.
process.exit();

async function demo(): Promise<number> {
  const settings = readSettings(process.env, process.argv.slice(2), root);
  console.log(`starting on ${settings.dataDir}${settings.fresh ? " (fresh)" : ""}; Ctrl-C stops everything`);
  const system = await startSystem({ ...settings, storefront: true, crowd: true, signal: stopping.signal });
  try {
    announce(system, settings.adminToken === undefined ? system.adminToken : "<your ADMIN_TOKEN>");
    const stopped = new Promise<undefined>((resolve) => {
      if (stopping.signal.aborted) resolve(undefined);
      stopping.signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    const problem = await Promise.race([stopped, system.broken]);
    if (problem === undefined) return 0;
    console.error(problem);
    return 1;
  } finally {
    await system.stop();
  }
}

/** A token that somebody set is theirs, and not for a terminal's history. */
function announce({ url, sandboxUrl }: System, adminToken: string): void {
  const lines = [
    ["shop", url],
    ["live page", `${url}/live`],
    ["orders", `${url}/orders`],
    ["SMS inbox", `${url}/messages`],
    ["API docs", `${url}/api/docs`],
    ["operations", `${url}/api/ops/audit  with  Authorization: Bearer ${adminToken}`],
    ["metrics", `${url}/metrics`],
    ["providers", `${sandboxUrl}  (payment, SMS and risk score)`],
  ];
  console.log(lines.map(([name = "", address = ""]) => `  ${name.padEnd(11)} ${address}`).join("\n"));
  console.log(`ready ${url}`);
}
