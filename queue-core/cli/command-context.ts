/** What every command is given besides its call. */
import type { Print } from "./command.ts";

export interface CommandContext {
  /** How the tool was called, for help and hints: "npm run queue --". */
  readonly program: string;
  readonly print: Print;
  /** The log directory, absolute. Throws ToolProblem where none was named. */
  directory(): string;
  /** An absolute path for one that was typed. */
  resolvePath(typed: string): string;
  /** What to do while a process has the log open; one line. */
  redriveWhileOpen(group: string, topic: string, directory: string): string;
}
