/**
 * Reads a snapshot block by block (snapshot-layout.ts draws it).
 *
 *     opened (header checked) ─► readBase ─► entries, block by block ─► end
 *
 * What can go wrong: bytes that rotted or were cut off, a snapshot of another log or format, a state larger than
 * memory. Promises: damage anywhere is CORRUPT with file and byte offset, and nothing of a damaged block is handed
 * out; one block and one read-ahead are held at a time.
 */

import type { StateWrite, TopicConfig } from "../../../engine.ts";
import { QueueError } from "../../../errors.ts";
import { corrupt, unknownFormat } from "../format/damage.ts";
import { RecordReader } from "../format/record-reader.ts";
import type { SealedSegment } from "../reading/segment-list.ts";
import type { Disk, DiskFile } from "../writing/disk.ts";
import {
  blockHeaderBytes,
  blockKinds,
  crcSeedOf,
  decodeSnapshotHeader,
  entryFlags,
  isWholeBlock,
  type SnapshotHeader,
  snapshotHeaderBytes,
} from "./snapshot-layout.ts";

const windowBytes = 1024 * 1024;

export interface PlacedOffset {
  readonly firstOffset: number;
  readonly segment: number;
  readonly position: number;
}

export interface SnapshotPartition {
  readonly topicId: number;
  readonly partition: number;
  readonly start: number;
  readonly end: number;
  readonly committed: readonly (readonly [group: string, offset: number])[];
  readonly places: readonly PlacedOffset[];
}

/** What stands before the entries, in the order of the file. A RangeError thrown by it is reported as CORRUPT. */
export interface SnapshotVisitor {
  snapshot(header: SnapshotHeader): void;
  topic(config: TopicConfig): void;
  restorePartition(partition: SnapshotPartition): void;
  restoreSegment(sealed: SealedSegment): void;
}

interface Block {
  readonly kind: number;
  readonly records: number;
  readonly position: number;
  readonly reader: RecordReader;
}

export class SnapshotReader {
  readonly header: SnapshotHeader;
  readonly #file: DiskFile;
  readonly #path: string;
  readonly #size: number;
  readonly #seed: number;
  #window: Buffer = Buffer.alloc(0);
  #windowPosition = 0;
  #position = snapshotHeaderBytes;
  #block: Block | undefined;
  #entries = 0;
  #lastNamespace = "";
  #lastKey = "";

  private constructor(file: DiskFile, path: string, size: number, header: SnapshotHeader) {
    this.#file = file;
    this.#path = path;
    this.#size = size;
    this.header = header;
    this.#seed = crcSeedOf(header);
  }

  /** Throws CORRUPT or UNKNOWN_FORMAT. */
  static async open(disk: Disk, path: string, nextBatchSequence: number): Promise<SnapshotReader> {
    const file = disk.open(path, "existing");
    try {
      const bytes = Buffer.alloc(snapshotHeaderBytes);
      const header = decodeSnapshotHeader(bytes.subarray(0, await file.read(bytes, 0)));
      if (header === "unknown-format") throw unknownFormat(path, 0);
      if (header === "damaged") throw corrupt(path, 0, "the snapshot's header is damaged");
      if (header.nextBatchSequence !== nextBatchSequence) {
        throw corrupt(path, 16, `the snapshot is the one before batch ${header.nextBatchSequence}`);
      }
      return new SnapshotReader(file, path, file.size(), header);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Size of the file. */
  get bytes(): number {
    return this.#size;
  }

  close(): void {
    this.#file.close();
  }

  /** Topics, partitions and segments. */
  async readBase(visitor: SnapshotVisitor): Promise<void> {
    visitor.snapshot(this.header);
    for (let kind = 0; ; ) {
      const block = await this.#nextBlock();
      if (block.kind < kind) throw corrupt(this.#path, block.position, "a block comes out of order");
      kind = block.kind;
      if (kind === blockKinds.entries || kind === blockKinds.end) {
        this.#block = block;
        return;
      }
      this.#visit(block, (reader) => visitRecord(reader, kind, visitor));
    }
  }

  /** The entries of each block, after `readBase`. Their values are views that the next block overwrites. */
  async *entries(): AsyncGenerator<readonly StateWrite[]> {
    for (;;) {
      const block = this.#block ?? (await this.#nextBlock());
      this.#block = undefined;
      if (block.kind === blockKinds.end) {
        this.#checkEnd(block);
        return;
      }
      if (block.kind !== blockKinds.entries) throw corrupt(this.#path, block.position, "a block comes out of order");
      yield this.#entriesOf(block);
    }
  }

  #entriesOf(block: Block): StateWrite[] {
    const found: StateWrite[] = [];
    let namespace = "";
    this.#visit(block, (reader) => {
      const flags = reader.byte();
      if ((flags & entryFlags.namespace) !== 0) namespace = reader.text();
      const key = reader.text();
      const expiresAtMs = (flags & entryFlags.expires) === 0 ? undefined : reader.double();
      const value = reader.bytes();
      if (this.#entries++ > 0 && !this.#follows(namespace, key)) throw new RangeError("an entry comes out of order");
      this.#lastNamespace = namespace;
      this.#lastKey = key;
      found.push(expiresAtMs === undefined ? { namespace, key, value } : { namespace, key, value, expiresAtMs });
    });
    return found;
  }

  #follows(namespace: string, key: string): boolean {
    if (namespace !== this.#lastNamespace) return namespace > this.#lastNamespace;
    return key > this.#lastKey;
  }

  #checkEnd(block: Block): void {
    this.#visit(block, (reader) => {
      const entries = reader.varint();
      if (entries !== this.#entries) throw new RangeError(`${entries} entries are promised, ${this.#entries} are here`);
    });
    if (this.#position !== this.#size) throw corrupt(this.#path, this.#position, "the snapshot goes on after its end");
  }

  #visit(block: Block, record: (reader: RecordReader) => void): void {
    try {
      for (let index = 0; index < block.records; index++) {
        record(block.reader);
        block.reader.assertInside();
      }
      block.reader.assertAtEnd();
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof QueueError)) throw error;
      throw corrupt(this.#path, block.position, `a record makes no sense: ${error.message}`);
    }
  }

  async #nextBlock(): Promise<Block> {
    const position = this.#position;
    let bytes = await this.#bytesAt(position, blockHeaderBytes);
    const length = bytes.length < blockHeaderBytes ? 0 : bytes.readUInt32LE(0);
    if (length < blockHeaderBytes || length > this.#size - position) throw this.#damaged(position);
    bytes = (await this.#bytesAt(position, length)).subarray(0, length);
    if (bytes.length < length || !isWholeBlock(bytes, this.#seed, position)) throw this.#damaged(position);
    this.#position += length;
    const reader = new RecordReader(bytes, blockHeaderBytes);
    return { kind: bytes.readUInt32LE(4), records: bytes.readUInt32LE(8), position, reader };
  }

  /** At least `length` bytes from there on, fewer only at the end of the file. */
  async #bytesAt(position: number, length: number): Promise<Buffer> {
    const from = position - this.#windowPosition;
    if (from + length <= this.#window.length) return this.#window.subarray(from);
    const left = Math.max(0, this.#size - position);
    const buffer = Buffer.allocUnsafeSlow(Math.min(Math.max(windowBytes, length), left));
    this.#windowPosition = position;
    this.#window = buffer.subarray(0, await this.#file.read(buffer, position));
    return this.#window;
  }

  #damaged(position: number): QueueError {
    return corrupt(this.#path, position, "a block of the snapshot is damaged");
  }
}

function visitRecord(reader: RecordReader, kind: number, visitor: SnapshotVisitor): void {
  if (kind === blockKinds.topics) {
    const name = reader.text();
    const partitions = reader.varint();
    const ringMessages = reader.varint();
    visitor.topic(ringMessages === 0 ? { name, partitions } : { name, partitions, ringMessages });
  } else if (kind === blockKinds.partitions) {
    visitor.restorePartition(readPartition(reader));
  } else if (kind === blockKinds.segments) {
    visitor.restoreSegment(readSegment(reader));
  } else {
    throw new RangeError(`there is no block of kind ${kind}`);
  }
}

function readPartition(reader: RecordReader): SnapshotPartition {
  const topicId = reader.varint();
  const partition = reader.varint();
  const start = reader.varint();
  const end = reader.varint();
  const committed: [string, number][] = [];
  for (let count = reader.varint(); count > 0; count--) committed.push([reader.text(), reader.varint()]);
  const places: PlacedOffset[] = [];
  let firstOffset = 0;
  let segment = 0;
  for (let count = reader.varint(); count > 0; count--) {
    firstOffset += reader.varint();
    segment += reader.varint();
    places.push({ firstOffset, segment, position: reader.varint() });
  }
  return { topicId, partition, start, end, committed, places };
}

function readSegment(reader: RecordReader): SealedSegment {
  const segment = reader.varint();
  const bytes = reader.varint();
  const lastTimeMs = reader.double();
  const ends: SealedSegment["ends"][number][] = [];
  for (let count = reader.varint(); count > 0; count--) {
    ends.push({ topicId: reader.varint(), partition: reader.varint(), end: reader.varint() });
  }
  return { segment, bytes, lastTimeMs, ends };
}
