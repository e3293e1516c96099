/** What an application needs to offer the tool on its own log. */
export { type QueueToolOptions, runQueueTool } from "./queue-tool.ts";
export { printToTerminal } from "./terminal.ts";
