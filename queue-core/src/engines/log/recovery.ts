/**
 * Reads the whole log at start, and mends what a crash may have left.
 *
 * What can go wrong, and what is done about it, row by row; recovery.test.ts walks each of them. A *sealed*
 * segment is any but the newest. Nothing is changed on disk before all of it was read and found good.
 *
 *     row  found                                                              done
 *     A    no segment                                                         a new log
 *     B    the newest segment ends with a whole batch, or has none            it goes on there
 *     C    the newest segment ends in bytes that are no whole batch,          torn tail: cut off, since it was never
 *          and no whole batch follows them                                    acknowledged
 *     D    the same, but a whole batch follows                                CORRUPT: one sync per batch tears only
 *                                                                             the last
 *     E    a sealed segment has bytes that are no whole batch                 CORRUPT
 *     F    a segment's header is short or damaged, or of another log          CORRUPT: a segment gets its name only
 *                                                                             once its header is synced
 *     G    a segment or batch of a format this version does not know          UNKNOWN_FORMAT
 *     H    a batch or segment is missing, or comes twice                      CORRUPT
 *     I    a whole batch whose records make no sense                          CORRUPT
 *     J    a segment that never got its name                                  removed
 *     K    the lock of a live process                                         LOCKED (lock-file.ts)
 *     L    the lock of a dead one                                             taken over (lock-file.ts)
 *
 * After C and J, and in B, where the last process may have died between write and sync, file and directory are
 * synced before anything is served. A bit that flips inside the very last batch looks like C: no log can tell.
 */
import { join } from "node:path";
import { QueueError } from "../../errors.ts";
import { type BatchVisitor, visitBatch } from "./batch-decoder.ts";
import { corrupt, unknownFormat } from "./damage.ts";
import type { Disk } from "./disk.ts";
import { type BatchHeader, firstBatchSequenceOf, segmentHeaderBytes, unfinishedSuffix } from "./layout.ts";
import type { BatchPlace } from "./partition-messages.ts";
import { LogOrder, readSegmentHeader, readWhole, segmentParts } from "./segment-scan.ts";

export interface ScannedLog {
  /** Undefined for a new log. */
  readonly logId: Buffer | undefined;
  /** File names in log order. */
  readonly files: readonly string[];
  /** Size of the newest segment in bytes, up to the end of its last whole batch. */
  readonly newestBytes: number;
  readonly nextBatchSequence: number;
  readonly nextCommitSequence: number;
  /** Bytes of a torn tail behind them. */
  readonly tornBytes: number;
}

export interface RecoveryVisitor extends BatchVisitor {
  /** Before the records of each batch. */
  batch(place: BatchPlace, header: BatchHeader): void;
  /** In place of batches, where a segment has none. */
  emptySegment(segment: number): void;
}

/** Throws CORRUPT or UNKNOWN_FORMAT with file and byte offset, and then nothing was changed. */
export async function recoverLog(disk: Disk, directory: string, visitor: RecoveryVisitor): Promise<ScannedLog> {
  const scanned = await scanLog(disk, directory, visitor);
  mend(disk, directory, scanned);
  return scanned;
}

/** Reads and judges the whole log and changes nothing. Throws as `recoverLog` does. */
export async function scanLog(disk: Disk, directory: string, visitor: RecoveryVisitor): Promise<ScannedLog> {
  const names = disk.list(directory);
  const files = names.filter((name) => firstBatchSequenceOf(name) !== undefined).sort();
  const order = new LogOrder();
  let spare: Buffer | undefined;
  let newestBytes = 0;
  let tornBytes = 0;
  for (const fileName of files) {
    const path = join(directory, fileName);
    const read = await readWhole(disk, path, spare);
    spare = read.spare;
    newestBytes = foldSegment({ bytes: read.bytes, path, isNewest: fileName === files.at(-1) }, order, visitor);
    tornBytes = read.bytes.length - newestBytes;
  }
  const { logId, nextBatchSequence, nextCommitSequence } = order;
  return { logId, files, newestBytes, nextBatchSequence, nextCommitSequence, tornBytes };
}

interface SegmentToFold {
  readonly bytes: Buffer;
  readonly path: string;
  readonly isNewest: boolean;
}

/** The position after the last whole batch. */
function foldSegment({ bytes, path, isNewest }: SegmentToFold, order: LogOrder, visitor: RecoveryVisitor) {
  const header = readSegmentHeader(bytes, path);
  const segment = header.firstBatchSequence;
  const misplaced = order.enterSegment(header);
  if (misplaced !== undefined) throw corrupt(path, 0, misplaced);
  let end = segmentHeaderBytes;
  for (const part of segmentParts(bytes, header.logId)) {
    const { position } = part;
    if (part.kind !== "batch") {
      if (part.kind === "unknown-format") throw unknownFormat(path, position);
      if (!isNewest) throw corrupt(path, position, "a batch of a sealed segment is damaged");
      if (part.end === bytes.length) break;
      throw corrupt(path, position, `a batch is damaged, and a whole one follows at ${part.end}`);
    }
    const outOfOrder = order.enterBatch(part.header);
    if (outOfOrder !== undefined) throw corrupt(path, position, outOfOrder);
    visitor.batch({ segment, position }, part.header);
    try {
      visitBatch(part.bytes, part.header, visitor);
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof QueueError)) throw error;
      throw corrupt(path, position, `a record makes no sense: ${error.message}`);
    }
    end = position + part.header.length;
  }
  if (end === segmentHeaderBytes) visitor.emptySegment(segment);
  return end;
}

function mend(disk: Disk, directory: string, { files, newestBytes, tornBytes }: ScannedLog): void {
  for (const name of disk.list(directory)) {
    if (name.endsWith(unfinishedSuffix)) disk.remove(join(directory, name));
  }
  const newest = files.at(-1);
  if (newest !== undefined) {
    const file = disk.open(join(directory, newest), "existing");
    try {
      if (tornBytes > 0) file.truncate(newestBytes);
      file.datasync("mended tail");
    } finally {
      file.close();
    }
  }
  disk.syncDirectory(directory, "recovered names");
}
