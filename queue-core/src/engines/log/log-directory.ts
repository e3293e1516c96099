/**
 * Makes the log's directory, for good.
 *
 * What can go wrong: a name is durable only once the directory that holds it is synced. Power lost after the first
 * publish would take a new log with all its directories, however well its files were synced. Who made a directory may
 * have died before it synced the one above, so it is not enough to sync above those made now.
 *
 * Promise: while there is no segment yet, every directory up to the root is synced; a segment is begun only after that.
 */
import { dirname, resolve } from "node:path";
import { firstBatchSequenceOf } from "./format/layout.ts";
import type { Disk } from "./writing/disk.ts";

/** One that we may not open we cannot have made anything in. */
const notOurs = new Set(["EACCES", "EPERM"]);

export function makeLogDirectory(disk: Disk, directory: string): void {
  disk.makeDirectory(directory);
  if (disk.list(directory).some((name) => firstBatchSequenceOf(name) !== undefined)) return;
  for (let below = resolve(directory); dirname(below) !== below; below = dirname(below)) {
    try {
      disk.syncDirectory(dirname(below), "made directory");
    } catch (error) {
      if (error instanceof Error && "code" in error && notOurs.has(String(error.code))) return;
      throw error;
    }
  }
}
