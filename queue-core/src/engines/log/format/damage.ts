/** What is said of files that cannot be used: always the file and the byte offset, so that somebody can look. */
import { QueueError } from "../../../errors.ts";

export class DamageError extends QueueError {
  readonly position: number;
  readonly what: string;

  constructor(
    code: "CORRUPT" | "UNKNOWN_FORMAT",
    place: { readonly path: string; readonly position: number },
    what: string,
  ) {
    const separator = code === "CORRUPT" ? ": " : " ";
    super(code, `${place.path} at byte ${place.position}${separator}${what}`);
    this.position = place.position;
    this.what = what;
  }
}

export function corrupt(path: string, position: number, what: string): DamageError {
  return new DamageError("CORRUPT", { path, position }, what);
}

export function unknownFormat(path: string, position: number): DamageError {
  return new DamageError("UNKNOWN_FORMAT", { path, position }, "was written by another version of queue-core");
}
