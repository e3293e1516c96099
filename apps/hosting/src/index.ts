/** What every process of the system has in common: its variables, its log lines, its start and its end. */
export { DataLost } from "./data-loss.ts";
export { type Hosted, type HostMessage, hostProcess, tellNews } from "./hosted-process.ts";
export { createLog } from "./log.ts";
export type { MarkMemory } from "./mark-keeper.ts";
export { openRedisQueue } from "./redis-queue.ts";
export { runProcess } from "./run-process.ts";
export { codeOf, StartProblem, tellAs } from "./start-problem.ts";
export { StopList, startWith } from "./stop-list.ts";
export { type LogLevel, logLevels, values } from "./variable-values.ts";
export { given, optional, readVariables, required, type Variable, withDefault } from "./variables.ts";
