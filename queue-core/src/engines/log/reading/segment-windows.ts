/**
 * Stretches of segment files that were read lately, checked, and sorted by partition: the partitions of a topic and
 * the groups that work off a backlog want the same stretches at about the same time, and share the work.
 * (Measured: 8 partitions with a window each read, checked and went through every byte 30 times; one cached window
 * made catching up 6 times as fast.)
 *
 * What can go wrong:
 * - Bytes that were good at start rot: each batch is checked by its CRC; a damaged one is CORRUPT with file and byte
 *   offset, never a wrong message, and nothing of it is kept.
 * - A batch that is not durable yet may be taken back from a full disk, and another one takes its place: no window
 *   reaches beyond what is durable.
 * - A consumer keeps a message for long: where a window has only a few of a partition, their values are copies, so
 *   that a few messages do not keep a whole window.
 * Promise: the bytes of all windows kept are no more than `cacheBytes`, or one window.
 */
import { join } from "node:path";
import type { StoredMessage } from "../../../engine.ts";
import { decodeMessage, visitBatch } from "../format/batch-decoder.ts";
import { corrupt } from "../format/damage.ts";
import { batchAt, batchHeaderBytes, batchMagic, segmentFileName } from "../format/layout.ts";
import type { Disk } from "../writing/disk.ts";
import type { BatchPlace } from "./partition-messages.ts";

/** What one read from disk takes at once; a larger batch is then read whole. */
const windowBytes = 256 * 1024;
const cacheBytes = 8 * 1024 * 1024;
/** So many share a window's bytes. */
const manyMessages = 32;

export interface SegmentFiles {
  readonly disk: Disk;
  readonly directory: string;
  readonly logId: Uint8Array;
  /** The segment that grows, and how much of it is durable. Without: what the file holds is taken as durable. */
  readonly segments?: { readonly newest: { readonly segment: number; readonly bytes: number } | undefined };
}

/** Whole batches that follow each other in a segment. */
export interface SegmentWindow {
  readonly segment: number;
  readonly start: number;
  /** Where the next batch begins, in a window of its own. */
  readonly end: number;
  readonly bytes: Buffer;
  /** By topic and partition; undefined: none of it here. */
  run(topicId: number, partition: number): PartitionRun | undefined;
}

export class SegmentWindows {
  readonly #files: SegmentFiles;
  /** Least recently used first. */
  #kept: SegmentWindow[] = [];
  #keptBytes = 0;
  readonly #loading = new Map<string, Promise<SegmentWindow>>();

  constructor(files: SegmentFiles) {
    this.#files = files;
  }

  /** The window that holds the batch at that place, where one is kept. */
  find({ segment, position }: BatchPlace): SegmentWindow | undefined {
    for (let index = this.#kept.length - 1; index >= 0; index--) {
      const window = this.#kept[index] as SegmentWindow;
      if (window.segment !== segment || position < window.start || position >= window.end) continue;
      if (index < this.#kept.length - 1) this.#kept.push(...this.#kept.splice(index, 1));
      return window;
    }
    return undefined;
  }

  /** Opens the file before it returns. Rejects with CORRUPT. */
  load(place: BatchPlace): Promise<SegmentWindow> {
    const name = `${place.segment}:${place.position}`;
    let loading = this.#loading.get(name);
    if (loading === undefined) {
      loading = this.#load(place).finally(() => this.#loading.delete(name));
      this.#loading.set(name, loading);
    }
    return loading;
  }

  async #load({ segment, position }: BatchPlace): Promise<SegmentWindow> {
    const { disk, directory, segments } = this.#files;
    const path = join(directory, segmentFileName(segment));
    const newest = segments?.newest;
    const durable = newest?.segment === segment ? newest.bytes : Number.POSITIVE_INFINITY;
    const file = disk.open(path, "existing");
    try {
      // A window keeps what was allocated for it, not only what was read into it.
      const left = Math.max(0, Math.min(durable, file.size()) - position);
      for (let size = windowBytes; ; ) {
        const buffer = Buffer.allocUnsafeSlow(Math.min(size, left));
        const bytes = buffer.subarray(0, await file.read(buffer, position));
        const window = this.#windowOf(bytes, { segment, position }, path);
        if (window.end > position) return this.#keep(window);
        const length = lengthOfBatch(bytes);
        if (length === undefined || bytes.length < size || length <= size) throw damaged(path, position);
        size = length;
      }
    } finally {
      file.close();
    }
  }

  /** The whole batches at the start of `bytes`; there may be none. */
  #windowOf(bytes: Buffer, { segment, position: start }: BatchPlace, path: string): SegmentWindow {
    const runs = new Map<number, PartitionRun>();
    let at = 0;
    for (;;) {
      const length = lengthOfBatch(bytes.subarray(at));
      if (length === undefined || length > bytes.length - at) break;
      const header = batchAt(bytes, at, this.#files.logId);
      if (typeof header === "string") throw damaged(path, start + at);
      const batch = bytes.subarray(at, at + length);
      visitBatch(batch, header, {
        message(topicId, partition, offset, position) {
          const key = runKey(topicId, partition);
          let run = runs.get(key);
          if (run === undefined) {
            run = new PartitionRun(bytes, offset);
            runs.set(key, run);
          }
          run.add(offset, header.timeMs, batch.byteOffset - bytes.byteOffset + position);
        },
      });
      at += length;
    }
    const run = (topicId: number, partition: number) => runs.get(runKey(topicId, partition));
    return { segment, start, end: start + at, bytes, run };
  }

  #keep(window: SegmentWindow): SegmentWindow {
    this.#kept.push(window);
    this.#keptBytes += window.bytes.length;
    while (this.#keptBytes > cacheBytes && this.#kept.length > 1) {
      this.#keptBytes -= (this.#kept.shift() as SegmentWindow).bytes.length;
    }
    return window;
  }
}

/** The messages of one partition in a window: consecutive offsets. */
export class PartitionRun {
  readonly firstOffset: number;
  readonly #bytes: Buffer;
  readonly #positions: number[] = [];
  readonly #batchTimesMs: number[] = [];
  /** From the second reader on: most runs have one, and what is kept long costs the garbage collector most. */
  #decoded: (StoredMessage | undefined)[] | undefined;
  #wasRead = false;

  constructor(bytes: Buffer, firstOffset: number) {
    this.#bytes = bytes;
    this.firstOffset = firstOffset;
  }

  get length(): number {
    return this.#positions.length;
  }

  add(offset: number, batchTimeMs: number, position: number): void {
    if (offset !== this.firstOffset + this.length) throw new RangeError(`offset ${offset} is out of order`);
    this.#positions.push(position);
    this.#batchTimesMs.push(batchTimeMs);
  }

  at(index: number, topic: string): StoredMessage {
    if (index === 0) {
      if (this.#wasRead) this.#decoded ??= [];
      this.#wasRead = true;
    }
    const known = this.#decoded?.[index];
    if (known !== undefined) return known;
    const position = this.#positions[index] as number;
    const viewed = decodeMessage(this.#bytes, this.#batchTimesMs[index] as number, position, topic);
    const message = this.length < manyMessages ? { ...viewed, value: Buffer.from(viewed.value) } : viewed;
    if (this.#decoded !== undefined) this.#decoded[index] = message;
    return message;
  }
}

const mostPartitions = 1024;

function runKey(topicId: number, partition: number): number {
  return topicId * mostPartitions + partition;
}

function lengthOfBatch(bytes: Buffer): number | undefined {
  if (bytes.length < batchHeaderBytes || bytes.readUInt32LE(0) !== batchMagic) return undefined;
  const length = bytes.readUInt32LE(8);
  return length < batchHeaderBytes ? undefined : length;
}

function damaged(path: string, position: number): Error {
  return corrupt(path, position, "a batch that was whole at start is damaged now");
}
