/**
 * Tells a log directory from anything else that somebody may name instead, in one line that says what it is.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { firstBatchSequenceOf } from "../src/engines/log/format/layout.ts";
import { nextBatchSequenceOf } from "../src/engines/log/snapshots/snapshot-layout.ts";
import { ToolProblem } from "./tool-problem.ts";

/** Throws ToolProblem unless the directory holds a log. */
export function checkLogDirectory(directory: string): void {
  const names = namesIn(directory);
  if (names.some(isLogFile)) return;
  if (names.length === 0) throw new ToolProblem(`${directory} is empty: nothing was stored there yet`);
  const inside = names.find((name) => holdsLog(join(directory, name)));
  if (inside !== undefined) {
    throw new ToolProblem(`${directory} is no log directory, but ${join(directory, inside)} is one`);
  }
  const found = names.length === 1 ? "one file" : `${names.length} files`;
  throw new ToolProblem(`${directory} is no log directory: it holds ${found}, but no segment and no snapshot`);
}

const isLogFile = (name: string): boolean =>
  firstBatchSequenceOf(name) !== undefined || nextBatchSequenceOf(name) !== undefined;

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    throw problemWith(directory, error);
  }
}

function holdsLog(path: string): boolean {
  try {
    return statSync(path).isDirectory() && readdirSync(path).some(isLogFile);
  } catch {
    return false;
  }
}

/** The line for an error of the file system; other errors are not for one line, and come back as they are. */
export function problemWith(path: string, error: unknown): unknown {
  switch (codeOf(error)) {
    case "ENOENT":
      return new ToolProblem(`${path} is not there`);
    case "ENOTDIR":
      return new ToolProblem(`${path} is a file; name the log's directory`);
    case "EISDIR":
      return new ToolProblem(`${path} is a directory; name a file of the log`);
    case "EACCES":
    case "EPERM":
      return new ToolProblem(`${path} may not be read by this user`);
    default:
      return error;
  }
}

export function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
