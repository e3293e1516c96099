/** What is said of files that cannot be used: always the file and the byte offset, so that somebody can look. */
import { QueueError } from "../../errors.ts";

export function corrupt(path: string, position: number, what: string): QueueError {
  return new QueueError("CORRUPT", `${path} at byte ${position}: ${what}`);
}

export function unknownFormat(path: string, position: number): QueueError {
  return new QueueError("UNKNOWN_FORMAT", `${path} at byte ${position} was written by another version of queue-core`);
}
