/**
 * Reads the newest snapshot and the log after it at start, and mends what a crash may have left.
 *
 * What can go wrong, and what is done about it, row by row; recovery.test.ts (A to L, W, X) and snapshot-recovery.test.ts
 * (M to V) walk each of them. A *sealed* segment is any but the newest. A segment is *covered* when the newest
 * snapshot holds all that is in it: of such a one only header and size are looked at. Nothing is changed on disk
 * before all of it was read and found good.
 *
 *     row  found                                                              done
 *     A    no segment and no snapshot                                         a new log
 *     B    the newest segment ends with a whole batch, or has none; a hole    it goes on there, the hole is cut off
 *          may follow
 *     C    the newest segment ends in bytes that are no whole batch,          torn tail: cut off, since it was never
 *          and no whole batch follows them                                    acknowledged
 *     D    the same, but a whole batch follows                                CORRUPT: one sync per batch tears only
 *                                                                             the last
 *     E    a sealed segment has bytes that are no whole batch                 CORRUPT; in a covered one: when read
 *     F    a segment's header is short or damaged, or of another log          CORRUPT: a segment gets its name only
 *                                                                             once its header is synced
 *     G    a segment, batch or snapshot of an unknown format                  UNKNOWN_FORMAT
 *     H    a batch or segment is missing, or comes twice                      CORRUPT
 *     I    a whole batch whose records make no sense                          CORRUPT
 *     J    a segment that never got its name                                  removed
 *     K    the lock of a live process                                         LOCKED (lock-file.ts)
 *     L    the lock of a dead one                                             taken over (lock-file.ts); if it may be
 *                                                                             stopped instead, the newest segment is
 *                                                                             copied, lest it goes on writing there
 *     M    the newest snapshot is damaged, cut off or goes on after its end   CORRUPT: a snapshot gets its name only
 *                                                                             once all of it is synced
 *     N    the newest snapshot has another name or log than it should         CORRUPT
 *     O    a snapshot that never got its name                                 removed
 *     P    an older snapshot beside the newest                                removed, once the newest one's name is
 *                                                                             synced
 *     Q    a segment older than the oldest kept one                           removed: the log says that it may go
 *     R    a covered segment is missing, or has another size or header        CORRUPT
 *     S    the segment right after the snapshot is missing                    CORRUPT: it was there before it
 *     T    a segment in what the snapshot covers that it does not know        CORRUPT
 *     U    the log let segments go that no snapshot covers                    CORRUPT: a snapshot is missing
 *     V    a whole block of the snapshot whose records make no sense          CORRUPT
 *     W    no log, but files that are none of a log's                         INVALID_ARGUMENT: somebody else's
 *                                                                             directory
 *     X    such files beside a log                                            left alone, whatever their names end with
 *
 * After C and J, and in B, where the last process may have died between write and sync, file and directory are
 * synced before anything is served. The last batch is written again before that: its sync may have failed, and then
 * the system shows it, calls it clean, and would lose it with the power (https://wiki.postgresql.org/wiki/Fsync_Errors).
 * A bit that flips inside the very last batch looks like C: no log can tell.
 */
import { join } from "node:path";
import { QueueError } from "../../../errors.ts";
import { corrupt } from "../format/damage.ts";
import { firstBatchSequenceOf, segmentFileName, segmentHeaderBytes, unfinishedSuffix } from "../format/layout.ts";
import type { LockFile } from "../lock-file.ts";
import type { BatchPlace } from "../reading/partition-messages.ts";
import type { SealedSegment } from "../reading/segment-list.ts";
import { nextBatchSequenceOf, snapshotFileName } from "../snapshots/snapshot-layout.ts";
import { SnapshotReader } from "../snapshots/snapshot-reader.ts";
import type { Disk, DiskFile } from "../writing/disk.ts";
import { reserveFileName } from "../writing/reserve.ts";
import type { LogFold } from "./log-fold.ts";
import { foldSegment } from "./segment-fold.ts";
import { isHole, LogOrder, readSegmentHeader, readWhole } from "./segment-scan.ts";

export interface ScannedLog {
  /** Undefined for a new log. */
  readonly logId: Buffer | undefined;
  /** Names of the segments that are kept, in log order. */
  readonly files: readonly string[];
  /** Size of the newest segment in bytes, up to the end of its last whole batch. */
  readonly newestBytes: number;
  readonly nextBatchSequence: number;
  readonly nextCommitSequence: number;
  /** Bytes of a torn tail behind them, a hole after it included; 0 where a hole alone is there. */
  readonly tornBytes: number;
  readonly snapshot: KnownSnapshot | undefined;
  /** Names of snapshots and segments that are not needed any more. */
  readonly superseded: readonly string[];
}

/** A snapshot that is durable. */
export interface KnownSnapshot {
  readonly nextBatchSequence: number;
  readonly bytes: number;
}

/** Throws INVALID_ARGUMENT, or CORRUPT or UNKNOWN_FORMAT with file and byte offset, and then nothing was changed. */
export async function recoverLog(
  disk: Disk,
  directory: string,
  fold: LogFold,
  formerOwner: LockFile["formerOwner"] = "none that lives",
): Promise<ScannedLog> {
  refuseOthers(directory, disk.list(directory));
  const scanned = await scanLog(disk, directory, fold);
  const newest = scanned.files.at(-1);
  await mend(disk, directory, scanned, fold.lastBatch);
  if (formerOwner === "maybe stopped" && newest !== undefined) {
    await replaceByCopy(disk, directory, newest, scanned.newestBytes);
  }
  return scanned;
}

/** Row W. Hidden files, and what a file system keeps at its root, are nobody's. */
function refuseOthers(directory: string, names: readonly string[]): void {
  if (names.some((name) => isLogFile(name))) return;
  const other = names.find((name) => !/^(\.|lost\+found$|lock(\.|$)|reserve$)/.test(name) && !isUnfinished(name));
  if (other === undefined) return;
  const what = `${directory} holds no log, but ${other} and maybe more; a log wants a directory of its own`;
  throw new QueueError("INVALID_ARGUMENT", what);
}

function isLogFile(name: string): boolean {
  return firstBatchSequenceOf(name) !== undefined || nextBatchSequenceOf(name) !== undefined;
}

/** One of the log's own files that never got its name. */
function isUnfinished(name: string): boolean {
  if (!name.endsWith(unfinishedSuffix)) return false;
  const finished = name.slice(0, -unfinishedSuffix.length);
  return isLogFile(finished) || finished === reserveFileName;
}

/** Reads and judges the whole log and changes nothing. Throws as `recoverLog` does. */
export async function scanLog(disk: Disk, directory: string, fold: LogFold): Promise<ScannedLog> {
  const names = disk.list(directory);
  const segments = sequencesOf(names, firstBatchSequenceOf);
  const snapshots = sequencesOf(names, nextBatchSequenceOf);
  const snapshot = await readSnapshot(disk, directory, snapshots.at(-1), fold);
  const order = new LogOrder(snapshot);
  const tail = segments.filter((segment) => segment >= order.nextBatchSequence);
  if (snapshot !== undefined) await checkBehind(disk, directory, snapshot, tail[0]);

  let newestBytes = 0;
  let tornBytes = 0;
  let spare: Buffer | undefined;
  for (const segment of tail) {
    const path = join(directory, segmentFileName(segment));
    const read = await readWhole(disk, path, spare);
    spare = read.spare;
    const end = segment === tail.at(-1) ? "may be torn" : "sealed";
    newestBytes = foldSegment({ bytes: read.bytes, path, end }, order, fold);
    tornBytes = isHole(read.bytes, newestBytes) ? 0 : read.bytes.length - newestBytes;
  }
  const leftOver = await checkCovered(disk, directory, { segments, snapshot, fold });
  const { logId, nextBatchSequence, nextCommitSequence } = order;
  return {
    logId,
    files: segments.filter((segment) => !leftOver.includes(segment)).map(segmentFileName),
    newestBytes,
    nextBatchSequence,
    nextCommitSequence,
    tornBytes,
    snapshot,
    superseded: [...leftOver.map(segmentFileName), ...snapshots.slice(0, -1).map(snapshotFileName)],
  };
}

function sequencesOf(names: readonly string[], sequenceOf: (name: string) => number | undefined): number[] {
  return names
    .map(sequenceOf)
    .filter((sequence) => sequence !== undefined)
    .sort((left, right) => left - right);
}

interface ReadSnapshot extends KnownSnapshot {
  readonly logId: Buffer;
  readonly nextCommitSequence: number;
}

async function readSnapshot(
  disk: Disk,
  directory: string,
  sequence: number | undefined,
  fold: LogFold,
): Promise<ReadSnapshot | undefined> {
  if (sequence === undefined) return undefined;
  const reader = await SnapshotReader.open(disk, join(directory, snapshotFileName(sequence)), sequence);
  try {
    await reader.readBase(fold);
    for await (const entries of reader.entries()) for (const entry of entries) fold.put(entry);
    const { logId, nextBatchSequence, nextCommitSequence } = reader.header;
    return { logId: Buffer.from(logId), nextBatchSequence, nextCommitSequence, bytes: reader.bytes };
  } finally {
    reader.close();
  }
}

/** Rows N and S: the first segment that the snapshot does not cover is there, and of the same log. */
async function checkBehind(
  disk: Disk,
  directory: string,
  { nextBatchSequence, logId }: ReadSnapshot,
  first: number | undefined,
): Promise<void> {
  const snapshotPath = join(directory, snapshotFileName(nextBatchSequence));
  const segmentPath = join(directory, segmentFileName(nextBatchSequence));
  if (first !== nextBatchSequence) throw corrupt(snapshotPath, 16, `${segmentPath} is missing`);
  const header = readSegmentHeader((await look(disk, segmentPath)).header, segmentPath);
  if (header.logId.equals(logId)) return;
  throw corrupt(snapshotPath, 8, `the snapshot belongs to another log than ${segmentPath}`);
}

/** Rows Q, R, T and U; returns the segments of Q. */
async function checkCovered(
  disk: Disk,
  directory: string,
  scanned: {
    readonly segments: readonly number[];
    readonly snapshot: ReadSnapshot | undefined;
    readonly fold: LogFold;
  },
): Promise<number[]> {
  const { segments, snapshot, fold } = scanned;
  const coveredTo = snapshot?.nextBatchSequence ?? 0;
  const { oldest = 0 } = fold.segments;
  if (oldest > coveredTo) {
    throw corrupt(join(directory, segmentFileName(oldest)), 0, "no snapshot covers the segments that went before it");
  }
  if (snapshot === undefined) return [];
  const known = fold.segments.sealed.filter(({ segment }) => segment < coveredTo);
  for (const sealed of known) {
    const path = join(directory, segmentFileName(sealed.segment));
    if (!segments.includes(sealed.segment)) throw corrupt(path, 0, "the segment is missing");
    await checkCoveredSegment(disk, path, sealed, snapshot.logId);
  }
  const unknown = segments.filter((segment) => segment < coveredTo && !known.some((one) => one.segment === segment));
  const between = unknown.find((segment) => segment > oldest);
  if (between === undefined) return unknown;
  throw corrupt(join(directory, segmentFileName(between)), 0, "the snapshot knows no segment that begins here");
}

async function checkCoveredSegment(
  disk: Disk,
  path: string,
  { segment, bytes }: SealedSegment,
  logId: Buffer,
): Promise<void> {
  const found = await look(disk, path);
  const header = readSegmentHeader(found.header, path);
  if (!header.logId.equals(logId)) throw corrupt(path, 8, "the segment belongs to another log");
  if (header.firstBatchSequence !== segment) {
    throw corrupt(path, 16, `the segment begins with batch ${header.firstBatchSequence}`);
  }
  if (found.bytes === bytes) return;
  throw corrupt(path, Math.min(found.bytes, bytes), `the segment has ${found.bytes} bytes instead of ${bytes}`);
}

async function look(disk: Disk, path: string): Promise<{ readonly header: Buffer; readonly bytes: number }> {
  const file = disk.open(path, "existing");
  try {
    const header = Buffer.alloc(segmentHeaderBytes);
    return { header: header.subarray(0, await file.read(header, 0)), bytes: file.size() };
  } finally {
    file.close();
  }
}

async function mend(
  disk: Disk,
  directory: string,
  { files, newestBytes, superseded }: ScannedLog,
  lastBatch: BatchPlace | undefined,
): Promise<void> {
  for (const name of disk.list(directory)) {
    if (isUnfinished(name)) disk.remove(join(directory, name));
  }
  const newest = files.at(-1);
  if (newest !== undefined) {
    const file = disk.open(join(directory, newest), "existing");
    try {
      if (file.size() > newestBytes) file.truncate(newestBytes);
      if (lastBatch !== undefined && segmentFileName(lastBatch.segment) === newest) {
        await writeAgain(file, lastBatch.position, newestBytes);
      }
      file.datasync("mended tail");
    } finally {
      file.close();
    }
  }
  disk.syncDirectory(directory, "recovered names");
  // What makes them superfluous is durable from here on. Their removal need not be: it would be done again.
  for (const name of superseded) disk.remove(join(directory, name));
}

/** Who still has the file open writes into one that nobody reads. */
async function replaceByCopy(disk: Disk, directory: string, name: string, bytes: number): Promise<void> {
  const path = join(directory, name);
  const draft = `${path}${unfinishedSuffix}`;
  const { bytes: content } = await readWhole(disk, path);
  const copy = disk.open(draft, "create");
  try {
    copy.write(content.subarray(0, bytes), 0);
    copy.datasync("mended tail");
  } finally {
    copy.close();
  }
  disk.rename(draft, path);
  disk.syncDirectory(directory, "recovered names");
}

async function writeAgain(file: DiskFile, from: number, to: number): Promise<void> {
  const bytes = Buffer.allocUnsafe(to - from);
  const read = await file.read(bytes, from);
  file.write(bytes.subarray(0, read), from);
}
