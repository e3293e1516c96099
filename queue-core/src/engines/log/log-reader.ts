/**
 * Reads the messages of a partition: recent ones from memory, older ones from the segment files.
 *
 * What can go wrong: bytes that were good at start rot later; retention removes a segment while it is read. Promises:
 * each batch read is checked by its CRC, and a damaged one is CORRUPT with file and byte offset, never a wrong
 * message; a read ends early where the rest of its messages went meanwhile (the file it is in stays readable, since
 * an index entry is looked up and its file opened in one turn, and the index forgets a segment before its file goes).
 */
import { join } from "node:path";
import type { StoredMessage } from "../../engine.ts";
import type { ReadLimits } from "../message-ring.ts";
import type { Partition } from "../model.ts";
import { decodeMessage, visitBatch } from "./batch-decoder.ts";
import { corrupt } from "./damage.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { batchAt, batchHeaderBytes, batchMagic, segmentFileName } from "./layout.ts";
import type { IndexEntry, PartitionMessages } from "./partition-messages.ts";

/** What one read from disk takes at once; a larger batch is then read whole. */
const windowBytes = 256 * 1024;

interface Wanted {
  readonly topicId: number;
  readonly topic: string;
  readonly partition: number;
  nextOffset: number;
  readonly endOffset: number;
  readonly limits: ReadLimits;
  readonly found: StoredMessage[];
  foundBytes: number;
  full: boolean;
}

export interface LogReaderSettings {
  readonly disk: Disk;
  readonly directory: string;
  readonly logId: Uint8Array;
}

export class LogReader {
  readonly #settings: LogReaderSettings;

  constructor(settings: LogReaderSettings) {
    this.#settings = settings;
  }

  /** From `fromOffset` on, as far as the limits reach; at least one message when there is one. */
  async read(
    partition: Partition<PartitionMessages>,
    fromOffset: number,
    limits: ReadLimits,
  ): Promise<readonly StoredMessage[]> {
    const { store, end } = partition;
    if (fromOffset >= end || limits.maxMessages <= 0) return [];
    const recentStart = store.recentStart ?? end;
    if (fromOffset >= recentStart) return readFromMemory(partition, fromOffset, limits);
    return readFromSegments(this.#settings, partition, fromOffset, recentStart, limits);
  }
}

function readFromMemory(
  { store, topic, end }: Partition<PartitionMessages>,
  fromOffset: number,
  limits: ReadLimits,
): StoredMessage[] {
  const messages: StoredMessage[] = [];
  let bytes = 0;
  for (const { batch, position } of store.recent(fromOffset, end)) {
    const message = decodeMessage(batch.bytes, batch.timeMs, position, topic.name);
    bytes += message.value.length;
    if (messages.length > 0 && limits.maxBytes !== undefined && bytes > limits.maxBytes) break;
    messages.push(message);
    if (messages.length >= limits.maxMessages) break;
  }
  return messages;
}

/** Messages from `fromOffset` to before `endOffset`, as far as the limits reach; at least one when there is one. */
async function readFromSegments(
  settings: LogReaderSettings,
  partition: Partition<PartitionMessages>,
  fromOffset: number,
  endOffset: number,
  limits: ReadLimits,
): Promise<StoredMessage[]> {
  const wanted: Wanted = {
    topicId: partition.topicId,
    topic: partition.topic.name,
    partition: partition.index,
    nextOffset: fromOffset,
    endOffset,
    limits,
    found: [],
    foundBytes: 0,
    full: false,
  };
  while (!wanted.full && wanted.nextOffset < endOffset) {
    const entry = partition.store.find(wanted.nextOffset);
    if (entry === undefined) {
      if (wanted.found.length > 0) break;
      throw new Error(`no index entry for ${wanted.topic}/${wanted.partition} ${wanted.nextOffset}`);
    }
    const path = join(settings.directory, segmentFileName(entry.segment));
    const file = settings.disk.open(path, "existing");
    try {
      await readEntry(file, path, settings.logId, entry, wanted);
    } finally {
      file.close();
    }
  }
  return wanted.found;
}

/** Reads batches from the entry on until its messages, or what is wanted of them, are found. */
async function readEntry(
  file: DiskFile,
  path: string,
  logId: Uint8Array,
  entry: IndexEntry,
  wanted: Wanted,
): Promise<void> {
  const stopOffset = Math.min(entry.beforeOffset, wanted.endOffset);
  let position = entry.position;
  let size = windowBytes;
  while (!wanted.full && wanted.nextOffset < stopOffset) {
    const window = Buffer.allocUnsafe(size);
    const bytes = window.subarray(0, await file.read(window, position));
    const used = takeBatches(bytes, path, position, logId, stopOffset, wanted);
    if (used === 0) {
      const length = lengthOfBatch(bytes);
      if (length === undefined || bytes.length < size || length <= size) {
        throw corrupt(path, position, "a batch that was whole at start is damaged now");
      }
      size = length;
    }
    position += used;
  }
}

/** How many bytes of whole batches were used. */
function takeBatches(
  bytes: Buffer,
  path: string,
  windowPosition: number,
  logId: Uint8Array,
  stopOffset: number,
  wanted: Wanted,
): number {
  let at = 0;
  while (!wanted.full && wanted.nextOffset < stopOffset) {
    const length = lengthOfBatch(bytes.subarray(at));
    if (length === undefined || length > bytes.length - at) return at;
    const header = batchAt(bytes, at, logId);
    if (typeof header === "string") {
      throw corrupt(path, windowPosition + at, "a batch that was whole at start is damaged now");
    }
    const batch = bytes.subarray(at, at + length);
    visitBatch(batch, header, {
      message(topicId, partition, offset, position) {
        if (partition !== wanted.partition || topicId !== wanted.topicId || offset !== wanted.nextOffset) return;
        if (!wanted.full && offset < wanted.endOffset)
          take(decodeMessage(batch, header.timeMs, position, wanted.topic), wanted);
      },
    });
    at += length;
  }
  return at;
}

function take(message: StoredMessage, wanted: Wanted): void {
  const { maxBytes = Number.POSITIVE_INFINITY, maxMessages } = wanted.limits;
  wanted.foundBytes += message.value.length;
  if (wanted.found.length > 0 && wanted.foundBytes > maxBytes) {
    wanted.full = true;
    return;
  }
  // A value of its own: a view would keep the whole window in memory.
  wanted.found.push({ ...message, value: Buffer.from(message.value) });
  wanted.nextOffset++;
  wanted.full = wanted.found.length >= maxMessages;
}

function lengthOfBatch(bytes: Buffer): number | undefined {
  if (bytes.length < batchHeaderBytes || bytes.readUInt32LE(0) !== batchMagic) return undefined;
  const length = bytes.readUInt32LE(8);
  return length < batchHeaderBytes ? undefined : length;
}
