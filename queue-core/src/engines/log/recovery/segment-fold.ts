/**
 * Hands every record of a segment to a visitor, for start-up and for snapshots, which go on only with what is whole.
 *
 * Promise: what is no whole batch, does not follow from what came before it, or makes no sense is CORRUPT or
 * UNKNOWN_FORMAT with file and byte offset; only a segment that may be torn may end in less than a batch.
 */
import { QueueError } from "../../../errors.ts";
import { type BatchVisitor, visitBatch } from "../format/batch-decoder.ts";
import { corrupt, unknownFormat } from "../format/damage.ts";
import { type BatchHeader, segmentHeaderBytes } from "../format/layout.ts";
import type { BatchPlace } from "../reading/partition-messages.ts";
import { type LogOrder, readSegmentHeader, segmentParts } from "./segment-scan.ts";

export interface SegmentVisitor extends BatchVisitor {
  /** Before the records of each batch. */
  batch(place: BatchPlace, header: BatchHeader): void;
  /** In place of batches, where a segment has none. */
  emptySegment(segment: number): void;
}

export interface SegmentToFold {
  /** The whole file. */
  readonly bytes: Buffer;
  readonly path: string;
  readonly end: "sealed" | "may be torn";
}

/** Returns the position after the last whole batch. */
export function foldSegment({ bytes, path, end }: SegmentToFold, order: LogOrder, visitor: SegmentVisitor): number {
  const header = readSegmentHeader(bytes, path);
  const segment = header.firstBatchSequence;
  const misplaced = order.enterSegment(header);
  if (misplaced !== undefined) throw corrupt(path, 0, misplaced);
  let wholeTo = segmentHeaderBytes;
  for (const part of segmentParts(bytes, header.logId)) {
    const { position } = part;
    if (part.kind === "hole" && end === "may be torn") break;
    if (part.kind !== "batch") {
      if (part.kind === "unknown-format") throw unknownFormat(path, position);
      if (end === "sealed") throw corrupt(path, position, "a batch of a sealed segment is damaged");
      if (part.end === bytes.length) break;
      throw corrupt(path, position, `a batch is damaged, and a whole one follows at ${part.end}`);
    }
    const outOfOrder = order.enterBatch(part.header);
    if (outOfOrder !== undefined) throw corrupt(path, position, outOfOrder);
    visitor.batch({ segment, position }, part.header);
    try {
      visitBatch(part.bytes, part.header, visitor);
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof QueueError)) throw error;
      throw corrupt(path, position, `a record makes no sense: ${error.message}`);
    }
    wholeTo = position + part.header.length;
  }
  if (wholeTo === segmentHeaderBytes) visitor.emptySegment(segment);
  return wholeTo;
}
