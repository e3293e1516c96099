/** One line per event, the same in every process: time, level, who, what. Quiet unless something is worth knowing. */
import { type Logger, pino } from "pino";
import pretty from "pino-pretty";
import type { LogLevel } from "./settings.ts";

/** `name` is the process as a reader knows it: demo, backend, sandbox. Writes to standard output, in order. */
export function createLog(name: string, level: LogLevel): Logger {
  const lines = pretty({
    sync: true,
    singleLine: true,
    colorize: process.stdout.isTTY === true,
    translateTime: "SYS:HH:MM:ss",
    ignore: "pid,hostname,name",
    messageFormat: "{name}: {msg}",
  });
  return pino({ name, level }, lines);
}
