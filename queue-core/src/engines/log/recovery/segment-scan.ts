/**
 * What lies in a segment file, without a word on what to do about it: start-up refuses what a tool shows.
 *
 * What can go wrong: anything may lie in a file. Promise: every byte behind the header is either part of a batch
 * whose CRC is right, or of a stretch that is named as none, with its place; what comes behind such a stretch is
 * found again where a whole batch begins. Nothing here writes.
 */
import { corrupt, unknownFormat } from "../format/damage.ts";
import {
  type BatchHeader,
  batchAt,
  batchMagicBytes,
  decodeSegmentHeader,
  type SegmentHeader,
  segmentFileName,
  segmentHeaderBytes,
} from "../format/layout.ts";
import type { Disk } from "../writing/disk.ts";

/** The zeros that the writer makes ahead of the batches, up to the end of the file; no batch begins like that. */
export interface Hole {
  readonly kind: "hole";
  readonly position: number;
  readonly end: number;
}

export type SegmentPart =
  | Hole
  | { readonly kind: "batch"; readonly position: number; readonly header: BatchHeader; readonly bytes: Buffer }
  /** `end`: where the next whole batch begins, or the end of the file. */
  | { readonly kind: "damaged" | "unknown-format"; readonly position: number; readonly end: number };

/** All parts of a segment, in order; `bytes` is the whole file. */
export function* segmentParts(bytes: Buffer, logId: Uint8Array): Generator<SegmentPart, void> {
  let position = segmentHeaderBytes;
  while (position < bytes.length) {
    const header = batchAt(bytes, position, logId);
    if (header === "damaged" && isHole(bytes, position)) {
      yield { kind: "hole", position, end: bytes.length };
      position = bytes.length;
    } else if (typeof header === "string") {
      const end = findBatch(bytes, position + 1, logId) ?? bytes.length;
      yield { kind: header, position, end };
      position = end;
    } else {
      const end = position + header.length;
      yield { kind: "batch", position, header, bytes: bytes.subarray(position, end) };
      position = end;
    }
  }
}

/** Follows segments and batches through a log and tells where one does not continue the last. */
export class LogOrder {
  #logId: Buffer | undefined;
  #nextBatchSequence: number;
  #nextCommitSequence: number;

  /** @param from where a snapshot ends; without it the log begins. */
  constructor(from?: {
    readonly logId: Buffer;
    readonly nextBatchSequence: number;
    readonly nextCommitSequence: number;
  }) {
    this.#logId = from?.logId;
    this.#nextBatchSequence = from?.nextBatchSequence ?? 0;
    this.#nextCommitSequence = from?.nextCommitSequence ?? 0;
  }

  /** Undefined before the first segment. */
  get logId(): Buffer | undefined {
    return this.#logId;
  }

  get nextBatchSequence(): number {
    return this.#nextBatchSequence;
  }

  get nextCommitSequence(): number {
    return this.#nextCommitSequence;
  }

  /** What is wrong with a segment that begins like this; undefined when nothing is. */
  enterSegment(header: SegmentHeader): string | undefined {
    this.#logId ??= header.logId;
    if (!header.logId.equals(this.#logId)) return "the segment belongs to another log";
    if (header.firstBatchSequence === this.#nextBatchSequence) return undefined;
    const expected = segmentFileName(this.#nextBatchSequence);
    return `the segment begins with batch ${header.firstBatchSequence}, ${expected} is missing`;
  }

  /** What is wrong with this batch as the next one; when nothing is, the one after it is due. */
  enterBatch(header: BatchHeader): string | undefined {
    if (header.batchSequence !== this.#nextBatchSequence)
      return `batch ${this.#nextBatchSequence} expected, ${header.batchSequence} found`;
    if (header.firstCommitSequence !== this.#nextCommitSequence)
      return `commit ${this.#nextCommitSequence} expected, ${header.firstCommitSequence} found`;
    this.resumeAfter(header);
    return undefined;
  }

  /** Goes on behind this batch, whatever came before it: for those who look behind damage. */
  resumeAfter(header: BatchHeader): void {
    this.#nextBatchSequence = header.batchSequence + 1;
    this.#nextCommitSequence = header.firstCommitSequence + header.commits;
  }
}

/** The whole file, in a buffer that the next call may reuse: give it back as `spare`. */
export async function readWhole(disk: Disk, path: string, spare?: Buffer): Promise<{ bytes: Buffer; spare: Buffer }> {
  const file = disk.open(path, "existing");
  try {
    const size = file.size();
    const buffer = spare !== undefined && spare.length >= size ? spare : Buffer.allocUnsafeSlow(size);
    const read = await file.read(buffer.subarray(0, size), 0);
    return { bytes: buffer.subarray(0, read), spare: buffer };
  } finally {
    file.close();
  }
}

/** Throws CORRUPT or UNKNOWN_FORMAT. */
export function readSegmentHeader(bytes: Buffer, path: string): SegmentHeader {
  const header = decodeSegmentHeader(bytes);
  if (header === "unknown-format") throw unknownFormat(path, 0);
  if (header === "damaged") throw corrupt(path, 0, "the segment's header is damaged");
  return header;
}

const zeros = Buffer.alloc(64 * 1024);

/** Whether nothing but zeros is there, up to the end. */
export function isHole(bytes: Buffer, from: number): boolean {
  for (let at = from; at < bytes.length; at += zeros.length) {
    const length = Math.min(zeros.length, bytes.length - at);
    if (bytes.compare(zeros, 0, length, at, at + length) !== 0) return false;
  }
  return true;
}

function findBatch(bytes: Buffer, from: number, logId: Uint8Array): number | undefined {
  for (let at = bytes.indexOf(batchMagicBytes, from); at !== -1; at = bytes.indexOf(batchMagicBytes, at + 1)) {
    if (batchAt(bytes, at, logId) !== "damaged") return at;
  }
  return undefined;
}
