/**
 * Makes the next snapshot: the one before it, merged with what the segments since then changed (the compaction of a
 * log-structured store: overwritten, deleted and expired entries fall away).
 *
 *     previous.snapshot ──entries, in order────────┐
 *                                                  ├─► next.snapshot.unfinished ─► synced, renamed, name synced
 *     segments ──folded──► changed entries, sorted ┘
 *
 * It works from files alone, so that the thread that serves commits has nothing to do with it.
 *
 * What can go wrong: a crash in the middle, a full or failing disk, damage in what is read. Promises: a snapshot has
 * its name only once all of it is durable; one that failed leaves at most an unfinished file, which the next try or
 * start removes; once the disk is full it takes no room any more (a block that is being written then, 128 KiB at most,
 * comes back when the file is removed); no more is held in memory than the changes since the last snapshot, one segment and two blocks.
 */
import { join } from "node:path";
import type { StateWrite } from "../../../engine.ts";
import { type Address, EntrySlabs } from "../../entry-slabs.ts";
import { EntryTable, type RecordChanges } from "../../entry-table.ts";
import { Model } from "../../model.ts";
import { corrupt } from "../format/damage.ts";
import { segmentFileName, unfinishedSuffix } from "../format/layout.ts";
import { PartitionMessages } from "../reading/partition-messages.ts";
import { SegmentList } from "../reading/segment-list.ts";
import { LogFold } from "../recovery/log-fold.ts";
import { foldSegment } from "../recovery/segment-fold.ts";
import { LogOrder, readWhole } from "../recovery/segment-scan.ts";
import type { Disk } from "../writing/disk.ts";
import { RoomSign } from "../writing/reserve.ts";
import { snapshotFileName } from "./snapshot-layout.ts";
import { SnapshotReader } from "./snapshot-reader.ts";
import { type SnapshotFile, SnapshotWriter } from "./snapshot-writer.ts";

export interface MergeRequest {
  readonly directory: string;
  readonly logId: Uint8Array;
  /** First batch not in the previous snapshot; undefined when there is none. */
  readonly previous: number | undefined;
  /** The sealed segments after the previous snapshot, oldest first. */
  readonly segments: readonly number[];
  /** First batch that is not in the new one: that of the segment after them. */
  readonly next: number;
  /** Of a RoomSign. */
  readonly roomSign: SharedArrayBuffer;
}

/** Lets other work of this thread run; throws when the merge is not wanted any more. */
export type Breathe = () => Promise<void>;

/** Resolves with the snapshot's size once it is durable. Rejects with what the disk says, or CORRUPT. */
export async function mergeSnapshot(disk: Disk, request: MergeRequest, breathe: Breathe): Promise<number> {
  const { directory, previous } = request;
  const reader =
    previous === undefined
      ? undefined
      : await SnapshotReader.open(disk, join(directory, snapshotFileName(previous)), previous);
  try {
    return await merge(disk, request, reader, breathe);
  } finally {
    reader?.close();
  }
}

async function merge(
  disk: Disk,
  request: MergeRequest,
  reader: SnapshotReader | undefined,
  breathe: Breathe,
): Promise<number> {
  const { directory, next } = request;
  const model = new Model<PartitionMessages>({ now: () => 0, createStore: () => new PartitionMessages() });
  const segments = new SegmentList(Number.POSITIVE_INFINITY, model);
  const fold = new MergeFold(model, segments);
  await reader?.readBase(fold);
  const nextCommitSequence = await foldSegments(disk, request, reader, fold, breathe);

  const path = join(directory, snapshotFileName(next));
  const unfinishedName = snapshotFileName(next) + unfinishedSuffix;
  const unfinishedPath = join(directory, unfinishedName);
  if (disk.list(directory).includes(unfinishedName)) disk.remove(unfinishedPath);
  const sign = new RoomSign(request.roomSign);
  sign.assertRoom();
  const file = disk.open(unfinishedPath, "create");
  const sparing: SnapshotFile = {
    write(block, position) {
      sign.assertRoom();
      file.write(block, position);
    },
    datasync: (reason) => file.datasync(reason),
  };
  let bytes: number;
  try {
    try {
      const { lastTimeMs, incarnations } = fold;
      const header = { logId: request.logId, nextBatchSequence: next, nextCommitSequence, lastTimeMs, incarnations };
      const writer = new SnapshotWriter(sparing, header);
      for (const topic of model.topics) writer.topic(topic);
      for (const partition of model.partitions()) writer.partition(partition);
      for (const sealed of segments.sealed) writer.segment(sealed);
      await writeEntries(writer, reader, fold.changes, lastTimeMs, breathe);
      writer.finish();
      bytes = writer.writtenBytes;
    } finally {
      file.close();
    }
    disk.rename(unfinishedPath, path);
    disk.syncDirectory(directory, "snapshot name");
  } catch (error) {
    for (const left of [unfinishedPath, path]) removeQuietly(disk, left);
    throw error;
  }
  return bytes;
}

/** Returns the sequence of the commit after them. */
async function foldSegments(
  disk: Disk,
  request: MergeRequest,
  reader: SnapshotReader | undefined,
  fold: LogFold,
  breathe: Breathe,
): Promise<number> {
  const order = new LogOrder({
    logId: Buffer.from(request.logId),
    nextBatchSequence: request.previous ?? 0,
    nextCommitSequence: reader?.header.nextCommitSequence ?? 0,
  });
  let spare: Buffer | undefined;
  for (const segment of request.segments) {
    const path = join(request.directory, segmentFileName(segment));
    const read = await readWhole(disk, path, spare);
    spare = read.spare;
    foldSegment({ path, bytes: read.bytes, end: "sealed" }, order, fold);
    await breathe();
  }
  fold.segments.seal();
  if (order.nextBatchSequence !== request.next) {
    const last = join(request.directory, segmentFileName(request.segments.at(-1) ?? 0));
    throw corrupt(last, 0, `the log before ${segmentFileName(request.next)} ends with ${order.nextBatchSequence}`);
  }
  return order.nextCommitSequence;
}

async function writeEntries(
  writer: SnapshotWriter,
  reader: SnapshotReader | undefined,
  changes: StateChanges,
  nowMs: number,
  breathe: Breathe,
): Promise<void> {
  let written = writer.writtenBytes;
  const write = ({ namespace, key, value, expiresAtMs = Number.POSITIVE_INFINITY }: StateWrite) => {
    if (value !== null && expiresAtMs > nowMs) writer.entry(namespace, key, value, expiresAtMs);
  };
  const changed = changes.sorted();
  let change = changed.next();
  for await (const block of reader?.entries() ?? []) {
    for (const entry of block) {
      for (; change.done !== true && isBefore(change.value, entry); change = changed.next()) write(change.value);
      // A change of the same entry is written by the next turn in its place.
      if (change.done === true || isBefore(entry, change.value)) write(entry);
    }
    if (writer.writtenBytes === written) continue;
    written = writer.writtenBytes;
    await breathe();
  }
  for (; change.done !== true; change = changed.next()) {
    write(change.value);
    if (writer.writtenBytes === written) continue;
    written = writer.writtenBytes;
    await breathe();
  }
}

function isBefore(left: StateWrite, right: StateWrite): boolean {
  if (left.namespace !== right.namespace) return left.namespace < right.namespace;
  return left.key < right.key;
}

function removeQuietly(disk: Disk, path: string): void {
  try {
    disk.remove(path);
  } catch {
    // Not there, or left for the next start.
  }
}

/** Keeps no state, only what changes in it. */
class MergeFold extends LogFold {
  readonly changes = new StateChanges();

  override put(write: StateWrite): void {
    this.changes.note(write);
  }
}

/** The last write of each entry, packed: as objects, a million changes were 600 MB. */
class StateChanges {
  readonly #slabs = new EntrySlabs();
  readonly #namespaces = new Map<string, EntryTable>();

  /** The value is copied. A deleted entry is kept as one that has expired. */
  note({ namespace, key, value, expiresAtMs = Number.POSITIVE_INFINITY }: StateWrite): void {
    let table = this.#namespaces.get(namespace);
    if (table === undefined) {
      table = new EntryTable(this.#slabs, 0);
      this.#namespaces.set(namespace, table);
    }
    if (value === null) table.put(key, deleted.value, deleted.expiresAtMs, nobody);
    else table.put(key, value, expiresAtMs, nobody);
  }

  /** In order of namespace and key. */
  *sorted(): Generator<StateWrite, undefined> {
    for (const namespace of [...this.#namespaces.keys()].sort()) {
      const table = this.#namespaces.get(namespace) as EntryTable;
      for (const key of [...table.keys()].sort()) {
        const address = table.find(key) as Address;
        yield { namespace, key, value: this.#slabs.valueOf(address), expiresAtMs: this.#slabs.expiryMsOf(address) };
      }
    }
    return undefined;
  }
}

const deleted = { value: Buffer.alloc(0), expiresAtMs: 0 };
const nobody: RecordChanges = { added: () => {}, replaced: () => {} };
