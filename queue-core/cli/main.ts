/** The tool on its own: `node cli/main.ts <command> --dir <log directory>`. */
import { runQueueTool } from "./queue-tool.ts";
import { printToTerminal } from "./terminal.ts";

process.exitCode = await runQueueTool({ args: process.argv.slice(2), program: "queue", ...printToTerminal });
