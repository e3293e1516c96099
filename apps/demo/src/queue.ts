/**
 * `npm run queue -- <command>`: queue-core's tool on the demo's log, also while the demo runs.
 *
 * What is typed is relative to where it is typed, which npm keeps in INIT_CWD.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { StartProblem } from "@plateau/hosting";
import { printToTerminal, runQueueTool } from "queue-core/cli";
import { readSettings, type Settings } from "./settings.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof StartProblem ? error.message : error);
  return 1;
});

async function main(args: readonly string[]): Promise<number> {
  const settings = readSettings(process.env, [], root);
  return runQueueTool({
    ...printToTerminal,
    args,
    program: "npm run queue --",
    workingDirectory: process.env.INIT_CWD ?? root,
    defaultDirectory: join(settings.dataDir, "queue"),
    redriveWhileOpen: (group, topic) => `ask it: ${redriveCall(settings, group, topic)}`,
  });
}

function redriveCall({ dataDir, host, port }: Settings, group: string, topic: string): string {
  const token = `the adminToken in ${join(dataDir, "secrets.json")}, unless ADMIN_TOKEN was set`;
  const path = `/api/ops/dead-letters/${group}/${topic}/redrive`;
  return `curl -X POST -H "Authorization: Bearer $TOKEN" http://${host}:${port}${path} (TOKEN: ${token})`;
}
