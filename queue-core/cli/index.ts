export { type QueueToolOptions, runQueueTool } from "./queue-tool.ts";
export { printToTerminal } from "./terminal.ts";
