/**
 * A snapshot: all that the batches before a certain one left behind, in one file named by that batch, e.g.
 * `0000000000000042.snapshot`. That batch begins a segment. Numbers in headers are little-endian; varint, text and
 * bytes are those of layout.ts.
 *
 *     snapshot := header block*            blocks of topics, partitions, segments, entries, end, in this order
 *
 *     header, 48 bytes                            block header, 16 bytes
 *      0  u32  magic f5 51 53 4e                   0  u32  length of the whole block
 *      4  u16  format version                      4  u8   kind of its records
 *      6  u16  0                                   5  3 B  0
 *      8  8 B  log id                              8  u32  number of records
 *     16  u64  first batch not in it              12  u32  CRC-32 of log id, bytes 16..24 of the header, position
 *     24  u64  first commit not in it                      of the block (u64), bytes 0..12 and 16..length
 *     32  f64  time of the last commit in it
 *     40  u32  how often the log was opened
 *     44  u32  CRC-32 of bytes 0..44
 *
 *     topic     := name:text partitions:varint ringMessages:varint                               0: no ring
 *     partition := topicId:varint partition:varint start:varint end:varint
 *                  count:varint { group:text committed:varint }
 *                  count:varint { firstOffset:varint segment:varint position:varint }            the sparse index;
 *                                           offset and segment as what they exceed those before
 *     segment   := first batch:varint bytes:varint lastTimeMs:f64 count:varint { topicId:varint partition:varint end:varint }
 *     entry     := flags:u8 [namespace:text] key:text [expiresAtMs:f64] value:bytes
 *                  in order of namespace and key; the namespace stands where another one begins, and in each block
 *     end       := entries:varint           one record, the last
 *
 * Partitions without a message or a group are left out. A block's CRC covers where it stands, so that no block can
 * be missing, and the last one that nothing was cut off.
 */
import { crc32 } from "node:zlib";
import { formatVersion } from "../format/layout.ts";

export const snapshotHeaderBytes = 48;
export const blockHeaderBytes = 16;
export const snapshotMagic = 0x4e5351f5;

export const blockKinds = { topics: 1, partitions: 2, segments: 3, entries: 4, end: 5 } as const;
export type BlockKind = (typeof blockKinds)[keyof typeof blockKinds];
export const entryFlags = { namespace: 1, expires: 2 } as const;

const snapshotNamePattern = /^(\d{16})\.snapshot$/;

export interface SnapshotHeader {
  readonly logId: Uint8Array;
  readonly nextBatchSequence: number;
  readonly nextCommitSequence: number;
  readonly lastTimeMs: number;
  readonly incarnations: number;
}

export function snapshotFileName(nextBatchSequence: number): string {
  return `${String(nextBatchSequence).padStart(16, "0")}.snapshot`;
}

/** The first batch that is not in the snapshot; undefined when the file is none. */
export function nextBatchSequenceOf(fileName: string): number | undefined {
  const digits = snapshotNamePattern.exec(fileName)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export function encodeSnapshotHeader(header: SnapshotHeader): Buffer {
  const bytes = Buffer.alloc(snapshotHeaderBytes);
  bytes.writeUInt32LE(snapshotMagic, 0);
  bytes.writeUInt16LE(formatVersion, 4);
  bytes.set(header.logId, 8);
  bytes.writeBigUInt64LE(BigInt(header.nextBatchSequence), 16);
  bytes.writeBigUInt64LE(BigInt(header.nextCommitSequence), 24);
  bytes.writeDoubleLE(header.lastTimeMs, 32);
  bytes.writeUInt32LE(header.incarnations, 40);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 44)), 44);
  return bytes;
}

export function decodeSnapshotHeader(bytes: Buffer): SnapshotHeader | "damaged" | "unknown-format" {
  if (bytes.length < snapshotHeaderBytes || bytes.readUInt32LE(0) !== snapshotMagic) return "damaged";
  if (bytes.readUInt16LE(4) !== formatVersion) return "unknown-format";
  if (crc32(bytes.subarray(0, 44)) !== bytes.readUInt32LE(44)) return "damaged";
  return {
    logId: Buffer.from(bytes.subarray(8, 16)),
    nextBatchSequence: Number(bytes.readBigUInt64LE(16)),
    nextCommitSequence: Number(bytes.readBigUInt64LE(24)),
    lastTimeMs: bytes.readDoubleLE(32),
    incarnations: bytes.readUInt32LE(40),
  };
}

/** Completes a block, whose records stand behind room for its header. */
export function sealBlock(block: Buffer, kind: BlockKind, records: number, seed: number, position: number): void {
  block.writeUInt32LE(block.length, 0);
  block.writeUInt32LE(kind, 4);
  block.writeUInt32LE(records, 8);
  block.writeUInt32LE(blockCrc(block, seed, position), 12);
}

/** True when the block is as it was written, at that place of that snapshot. */
export function isWholeBlock(block: Buffer, seed: number, position: number): boolean {
  return block.readUInt32LE(12) === blockCrc(block, seed, position);
}

/** What goes into the CRC of each block of a snapshot. */
export function crcSeedOf(header: SnapshotHeader): number {
  return crc32(encodeSnapshotHeader(header).subarray(16, 24), crc32(header.logId));
}

function blockCrc(block: Buffer, seed: number, position: number): number {
  const place = Buffer.alloc(8);
  place.writeBigUInt64LE(BigInt(position));
  return crc32(block.subarray(blockHeaderBytes), crc32(block.subarray(0, 12), crc32(place, seed)));
}
