/** One line per event, the same in every process: time, level, who, what. Quiet unless something is worth knowing. */
import { isatty } from "node:tty";
import { type Logger, pino } from "pino";
import pretty from "pino-pretty";
import type { LogLevel } from "./variable-values.ts";

/**
 * `name` is the process as a reader knows it: demo, backend, sandbox. Writes to standard output, in order, from every
 * thread: `process.stdout` of another one than the main thread would go through that one, and come late.
 */
export function createLog(name: string, level: LogLevel): Logger {
  const lines = pretty({
    sync: true,
    singleLine: true,
    colorize: isatty(1),
    translateTime: "SYS:HH:MM:ss",
    ignore: "pid,hostname,name",
    messageFormat: "{name}: {msg}",
  });
  // A stack tells a developer something; whoever runs the demo gets the reason.
  const err = level === "debug" || level === "trace" ? pino.stdSerializers.err : reasonOf;
  return pino({ name, level, serializers: { err } }, lines);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : ` (${reasonOf(error.cause)})`;
  return `${error.name}: ${error.message}${cause}`.replaceAll("\n", " ");
}
