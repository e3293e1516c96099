/**
 * Writes a snapshot record by record (snapshot-layout.ts draws it).
 *
 * What can go wrong: a state of gigabytes. Promises: no more than one block is held in memory; what is written is
 * synced every few MiB, so that the log's own syncs never queue behind all of it.
 */
import type { TopicConfig } from "../../../engine.ts";
import type { Partition } from "../../model.ts";
import { RecordWriter } from "../format/record-writer.ts";
import type { PartitionMessages } from "../reading/partition-messages.ts";
import type { SealedSegment } from "../reading/segment-list.ts";
import type { DiskFile } from "../writing/disk.ts";
import {
  type BlockKind,
  blockHeaderBytes,
  blockKinds,
  crcSeedOf,
  encodeSnapshotHeader,
  entryFlags,
  type SnapshotHeader,
  sealBlock,
  snapshotHeaderBytes,
} from "./snapshot-layout.ts";

/** A block ends with the record that reaches this. */
const blockBytes = 64 * 1024;
const syncEveryBytes = 4 * 1024 * 1024;

export type SnapshotFile = Pick<DiskFile, "write" | "datasync">;

export class SnapshotWriter {
  readonly #file: SnapshotFile;
  readonly #seed: number;
  readonly #out = new RecordWriter(blockHeaderBytes, blockBytes * 2);
  #kind: BlockKind = blockKinds.topics;
  #records = 0;
  #position = snapshotHeaderBytes;
  #syncedTo = 0;
  #entries = 0;
  #namespace: string | undefined;

  /** The file is empty. */
  constructor(file: SnapshotFile, header: SnapshotHeader) {
    this.#file = file;
    this.#seed = crcSeedOf(header);
    file.write(encodeSnapshotHeader(header), 0);
  }

  /** Bytes handed to the disk so far. */
  get writtenBytes(): number {
    return this.#position;
  }

  topic(config: TopicConfig): void {
    this.#begin(blockKinds.topics);
    this.#out.text(config.name);
    this.#out.varint(config.partitions);
    this.#out.varint(config.ringMessages ?? 0);
    this.#end();
  }

  partition(partition: Partition<PartitionMessages>): void {
    const { topicId, index, start, end, committed, store } = partition;
    if (end === 0 && committed.size === 0) return;
    const out = this.#out;
    this.#begin(blockKinds.partitions);
    for (const number of [topicId, index, start, end, committed.size]) out.varint(number);
    for (const [group, offset] of committed) {
      out.text(group);
      out.varint(offset);
    }
    const places = [...store.places()];
    out.varint(places.length);
    let before = { firstOffset: 0, segment: 0 };
    for (const place of places) {
      out.varint(place.firstOffset - before.firstOffset);
      out.varint(place.segment - before.segment);
      out.varint(place.position);
      before = place;
    }
    this.#end();
  }

  segment(sealed: SealedSegment): void {
    const out = this.#out;
    this.#begin(blockKinds.segments);
    out.varint(sealed.segment);
    out.varint(sealed.bytes);
    out.double(sealed.lastTimeMs);
    out.varint(sealed.ends.length);
    for (const { topicId, partition, end } of sealed.ends) {
      out.varint(topicId);
      out.varint(partition);
      out.varint(end);
    }
    this.#end();
  }

  /** In order of namespace and key. An entry that stays has no end: `expiresAtMs` is infinite. */
  entry(namespace: string, key: string, value: Uint8Array, expiresAtMs: number): void {
    const out = this.#out;
    this.#begin(blockKinds.entries);
    const begins = namespace !== this.#namespace;
    out.byte((begins ? entryFlags.namespace : 0) | (expiresAtMs === Number.POSITIVE_INFINITY ? 0 : entryFlags.expires));
    if (begins) {
      out.text(namespace);
      this.#namespace = namespace;
    }
    out.text(key);
    if (expiresAtMs !== Number.POSITIVE_INFINITY) out.double(expiresAtMs);
    out.bytes(value);
    this.#entries++;
    this.#end();
  }

  /** The last block and the last sync. */
  finish(): void {
    this.#begin(blockKinds.end);
    this.#out.varint(this.#entries);
    this.#records++;
    this.#writeBlock();
    this.#file.datasync("snapshot");
  }

  #begin(kind: BlockKind): void {
    if (kind !== this.#kind) this.#writeBlock();
    this.#kind = kind;
  }

  #end(): void {
    this.#records++;
    if (this.#out.at >= blockBytes) this.#writeBlock();
  }

  #writeBlock(): void {
    if (this.#records === 0) return;
    const block = this.#out.written();
    sealBlock(block, this.#kind, this.#records, this.#seed, this.#position);
    this.#file.write(block, this.#position);
    this.#position += block.length;
    this.#out.reset();
    this.#records = 0;
    this.#namespace = undefined;
    if (this.#position - this.#syncedTo < syncEveryBytes) return;
    this.#file.datasync("snapshot");
    this.#syncedTo = this.#position;
  }
}
