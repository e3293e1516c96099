/**
 * The bytes on disk.
 *
 * One log directory holds `lock` and segment files named by their first batch, e.g. `0000000000000042.segment`.
 * Numbers in headers are little-endian.
 *
 *     segment := header batch* hole          hole: zeros up to the end of the file, while the segment is written to
 *
 *     segment header, 32 bytes                    batch header, 44 bytes
 *      0  u32  magic f5 51 53 47                   0  u32  magic f5 51 42 54
 *      4  u16  format version                      4  u16  format version
 *      6  u16  0                                   6  u16  0
 *      8  8 B  log id, random                      8  u32  length of the whole batch
 *     16  u64  sequence of its first batch        12  u32  number of commits
 *     24  u32  0                                  16  u64  batch sequence, consecutive from 0
 *     28  u32  CRC-32 of bytes 0..28              24  u64  sequence of its first commit
 *                                                 32  f64  time of its first commit, ms since epoch
 *                                                 40  u32  CRC-32 of log id, bytes 0..40 and 44..length
 *     batch := header commit*
 *
 *     commit  := flags:u8 time [retire] [advance] [puts] [appends] [topics] [incarnation] [retainedFrom]
 *                                                                                 each as flagged
 *     time    := varint, ms after the batch's time
 *     retire  := group:text topicId:varint
 *     advance := group:text topicId:varint partition:varint to:varint
 *     puts    := count:varint { namespace:text key:text kind:u8 [expiresAtMs:f64] [value:bytes] }
 *     appends := count:varint message*
 *     message := topicId:varint partition:varint offset:varint time key:text headerFlags:u8
 *                [id:text] [deadlineMs:f64] [topic:text partition:varint correlationId:text]
 *                [count:varint { name:text value:text }] value:bytes
 *     topics  := count:varint { name:text partitions:varint ringMessages:varint }    0: no ring
 *     incarnation  := varint
 *     retainedFrom := varint, first batch of the oldest segment kept from then on
 *
 *     varint  := 7 bits a byte, low ones first, up to 2^53
 *     bytes   := length:varint, then the bytes
 *     text    := varint of length * 2 + wide, then one byte a UTF-16 code unit, or two when wide
 *
 * Text is kept as code units, since a key must come back as it was given, unpaired surrogates included. The log
 * id goes into each CRC, so that neither a file of another log nor message bytes that imitate a batch count as one.
 */
import { crc32 } from "node:zlib";

export const formatVersion = 1;

export const segmentHeaderBytes = 32;
export const segmentMagic = 0x475351f5;
export const batchHeaderBytes = 44;
export const batchMagic = 0x544251f5;
export const batchMagicBytes: Uint8Array = Uint8Array.of(0xf5, 0x51, 0x42, 0x54);
export const logIdBytes = 8;

export const commitFlags = {
  advance: 1,
  put: 2,
  append: 4,
  topics: 8,
  incarnation: 16,
  retire: 32,
  retainedFrom: 64,
} as const;
export const putKinds = { delete: 0, value: 1, expiringValue: 2 } as const;
export const headerFlags = { id: 1, deadline: 2, replyTo: 4, ext: 8 } as const;

/** Ends in a name that no finished file has; what bears it is removed at the next start. */
export const unfinishedSuffix = ".unfinished";

const segmentNamePattern = /^(\d{16})\.segment$/;

export function segmentFileName(firstBatchSequence: number): string {
  return `${String(firstBatchSequence).padStart(16, "0")}.segment`;
}

/** Undefined when the file is no segment. */
export function firstBatchSequenceOf(fileName: string): number | undefined {
  const digits = segmentNamePattern.exec(fileName)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export function encodeSegmentHeader(logId: Uint8Array, firstBatchSequence: number): Buffer {
  const header = Buffer.alloc(segmentHeaderBytes);
  header.writeUInt32LE(segmentMagic, 0);
  header.writeUInt16LE(formatVersion, 4);
  header.set(logId, 8);
  header.writeBigUInt64LE(BigInt(firstBatchSequence), 16);
  header.writeUInt32LE(crc32(header.subarray(0, 28)), 28);
  return header;
}

export interface SegmentHeader {
  readonly logId: Buffer;
  readonly firstBatchSequence: number;
}

export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | "damaged" | "unknown-format" {
  if (bytes.length < segmentHeaderBytes || bytes.readUInt32LE(0) !== segmentMagic) return "damaged";
  if (bytes.readUInt16LE(4) !== formatVersion) return "unknown-format";
  if (crc32(bytes.subarray(0, 28)) !== bytes.readUInt32LE(28)) return "damaged";
  return {
    logId: Buffer.from(bytes.subarray(8, 8 + logIdBytes)),
    firstBatchSequence: Number(bytes.readBigUInt64LE(16)),
  };
}

export interface BatchHeader {
  readonly length: number;
  readonly commits: number;
  readonly batchSequence: number;
  readonly firstCommitSequence: number;
  readonly timeMs: number;
}

/** Writes everything but the CRC, which `sealBatch` adds. */
export function writeBatchHeader(batch: Buffer, header: BatchHeader): void {
  batch.writeUInt32LE(batchMagic, 0);
  batch.writeUInt16LE(formatVersion, 4);
  batch.writeUInt16LE(0, 6);
  batch.writeUInt32LE(header.length, 8);
  batch.writeUInt32LE(header.commits, 12);
  batch.writeBigUInt64LE(BigInt(header.batchSequence), 16);
  batch.writeBigUInt64LE(BigInt(header.firstCommitSequence), 24);
  batch.writeDoubleLE(header.timeMs, 32);
}

export function sealBatch(batch: Buffer, logId: Uint8Array): void {
  batch.writeUInt32LE(batchCrc(batch, logId), 40);
}

/**
 * The batch that starts at `position`: its header, or why there is none. `length` and CRC have been checked, so
 * that its bytes are as they were written.
 */
export function batchAt(
  segment: Buffer,
  position: number,
  logId: Uint8Array,
): BatchHeader | "damaged" | "unknown-format" {
  if (segment.length - position < batchHeaderBytes || segment.readUInt32LE(position) !== batchMagic) return "damaged";
  const length = segment.readUInt32LE(position + 8);
  if (length < batchHeaderBytes || length > segment.length - position) return "damaged";
  const batch = segment.subarray(position, position + length);
  if (batch.readUInt32LE(40) !== batchCrc(batch, logId)) return "damaged";
  if (batch.readUInt16LE(4) !== formatVersion) return "unknown-format";
  return {
    length,
    commits: batch.readUInt32LE(12),
    batchSequence: Number(batch.readBigUInt64LE(16)),
    firstCommitSequence: Number(batch.readBigUInt64LE(24)),
    timeMs: batch.readDoubleLE(32),
  };
}

function batchCrc(batch: Buffer, logId: Uint8Array): number {
  return crc32(batch.subarray(batchHeaderBytes), crc32(batch.subarray(0, 40), crc32(logId)));
}
