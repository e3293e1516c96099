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
import type { BatchVisitor } from "./batch-decoder.ts";
import { visitBatch } from "./batch-decoder.ts";
import type { Disk } from "./disk.ts";
import {
  type BatchHeader,
  batchAt,
  batchMagicBytes,
  decodeSegmentHeader,
  firstBatchSequenceOf,
  segmentFileName,
  segmentHeaderBytes,
} from "./layout.ts";
import type { BatchPlace } from "./partition-messages.ts";
import { unfinishedSuffix } from "./segment-writer.ts";

export interface RecoveredLog {
  /** Undefined for a new log. */
  readonly logId: Buffer | undefined;
  readonly nextBatchSequence: number;
  readonly nextCommitSequence: number;
  /** Bytes of a torn tail that were cut off. */
  readonly tornBytes: number;
}

export interface RecoveryVisitor extends BatchVisitor {
  /** Before the records of each batch. */
  batch(place: BatchPlace, header: BatchHeader): void;
  /** In place of batches, where a segment has none. */
  emptySegment(segment: number): void;
}

interface Progress {
  logId: Buffer | undefined;
  nextBatchSequence: number;
  nextCommitSequence: number;
}

/** Throws CORRUPT or UNKNOWN_FORMAT with file and byte offset, and then nothing was changed. */
export async function recoverLog(disk: Disk, directory: string, visitor: RecoveryVisitor): Promise<RecoveredLog> {
  const names = disk.list(directory);
  const segments = names.filter((name) => firstBatchSequenceOf(name) !== undefined).sort();
  const progress: Progress = { logId: undefined, nextBatchSequence: 0, nextCommitSequence: 0 };
  let buffer: Buffer = Buffer.alloc(0);
  let newestBytes = 0;
  let tornBytes = 0;
  for (const [index, fileName] of segments.entries()) {
    const path = join(directory, fileName);
    const file = disk.open(path, "existing");
    let size: number;
    try {
      size = file.size();
      if (buffer.length < size) buffer = Buffer.allocUnsafeSlow(size);
      size = await file.read(buffer.subarray(0, size), 0);
    } finally {
      file.close();
    }
    const bytes = buffer.subarray(0, size);
    checkSegmentHeader(bytes, path, progress);
    const end = foldBatches(
      { bytes, path, segment: progress.nextBatchSequence, isNewest: index === segments.length - 1 },
      progress,
      visitor,
    );
    if (end === segmentHeaderBytes) visitor.emptySegment(progress.nextBatchSequence);
    newestBytes = end;
    tornBytes = size - end;
  }
  mend(disk, directory, names, segments.at(-1), { newestBytes, tornBytes });
  return { ...progress, tornBytes };
}

function checkSegmentHeader(bytes: Buffer, path: string, progress: Progress): void {
  const header = decodeSegmentHeader(bytes);
  if (header === "unknown-format") throw unknownFormat(path, 0);
  if (header === "damaged") throw corrupt(path, 0, "the segment's header is damaged");
  progress.logId ??= header.logId;
  if (!header.logId.equals(progress.logId)) throw corrupt(path, 0, "the segment belongs to another log");
  if (header.firstBatchSequence !== progress.nextBatchSequence) {
    const expected = segmentFileName(progress.nextBatchSequence);
    throw corrupt(path, 0, `the segment begins with batch ${header.firstBatchSequence}, ${expected} is missing`);
  }
}

interface ScannedSegment {
  readonly bytes: Buffer;
  readonly path: string;
  readonly segment: number;
  readonly isNewest: boolean;
}

/** The position after the last whole batch. */
function foldBatches(scanned: ScannedSegment, progress: Progress, visitor: RecoveryVisitor): number {
  const { bytes, path, segment } = scanned;
  const logId = progress.logId as Buffer;
  let position = segmentHeaderBytes;
  while (position < bytes.length) {
    const header = batchAt(bytes, position, logId);
    if (header === "unknown-format") throw unknownFormat(path, position);
    if (header === "damaged") {
      if (!scanned.isNewest) throw corrupt(path, position, "a batch of a sealed segment is damaged");
      const next = findBatch(bytes, position + 1, logId);
      if (next !== undefined) throw corrupt(path, position, `a batch is damaged, and a whole one follows at ${next}`);
      return position;
    }
    if (header.batchSequence !== progress.nextBatchSequence) {
      throw corrupt(path, position, `batch ${progress.nextBatchSequence} expected, ${header.batchSequence} found`);
    }
    if (header.firstCommitSequence !== progress.nextCommitSequence) {
      throw corrupt(
        path,
        position,
        `commit ${progress.nextCommitSequence} expected, ${header.firstCommitSequence} found`,
      );
    }
    visitor.batch({ segment, position }, header);
    try {
      visitBatch(bytes.subarray(position, position + header.length), header, visitor);
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof QueueError)) throw error;
      throw corrupt(path, position, `a record makes no sense: ${error.message}`);
    }
    progress.nextBatchSequence++;
    progress.nextCommitSequence += header.commits;
    position += header.length;
  }
  return position;
}

function findBatch(bytes: Buffer, from: number, logId: Buffer): number | undefined {
  for (let at = bytes.indexOf(batchMagicBytes, from); at !== -1; at = bytes.indexOf(batchMagicBytes, at + 1)) {
    if (batchAt(bytes, at, logId) !== "damaged") return at;
  }
  return undefined;
}

function mend(
  disk: Disk,
  directory: string,
  names: readonly string[],
  newest: string | undefined,
  { newestBytes, tornBytes }: { newestBytes: number; tornBytes: number },
): void {
  for (const name of names) {
    if (name.endsWith(unfinishedSuffix)) disk.remove(join(directory, name));
  }
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

export function corrupt(path: string, position: number, what: string): QueueError {
  return new QueueError("CORRUPT", `${path} at byte ${position}: ${what}`);
}

function unknownFormat(path: string, position: number): QueueError {
  return new QueueError("UNKNOWN_FORMAT", `${path} at byte ${position} was written by another version of queue-core`);
}
