/** What every process of the system has in common: its variables, its log lines, its start and its end. */
export { type Hosted, type HostMessage, hostProcess } from "./hosted-process.ts";
export { createLog } from "./log.ts";
export { runProcess } from "./run-process.ts";
export { codeOf, StartProblem } from "./start-problem.ts";
export { type LogLevel, logLevels, values } from "./variable-values.ts";
export { given, optional, readVariables, required, type Variable, withDefault } from "./variables.ts";
