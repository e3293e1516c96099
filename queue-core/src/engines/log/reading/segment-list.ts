/**
 * The segments of a log, oldest first, and where in them the next batch goes.
 *
 *     batch placed ─► written        the place is taken; a batch that begins a segment seals the one before
 *        │
 *        ├─────────► only begun      the new segment is there without its batch (full disk)
 *        └─────────► (nothing)       the place is given to the next batch
 *
 * What can go wrong: what is noted about a sealed segment must be exact, because retention and recovery rest on it.
 * Promise: a segment is sealed when every commit in it is visible and none of a later one, so that the ends of the
 * partitions then are the ends of that segment.
 *
 * A segment is known by the sequence of its first batch, which is also its file's name, so that it keeps its number
 * while older ones go.
 */
import type { Partition } from "../../model.ts";
import { segmentHeaderBytes } from "../format/layout.ts";
import type { BatchPlace } from "./partition-messages.ts";

/** Where the first batch of a segment goes. */
export const firstBatchPosition: number = segmentHeaderBytes;

/** One past the last message that a partition has in a segment. */
export interface PartitionEnd {
  readonly topicId: number;
  readonly partition: number;
  readonly end: number;
}

export interface SealedSegment {
  /** Sequence of its first batch. */
  readonly segment: number;
  readonly bytes: number;
  /** Time of its last batch, ms since epoch. */
  readonly lastTimeMs: number;
  /** Of the partitions that have messages in it. */
  readonly ends: readonly PartitionEnd[];
}

export interface NewestSegment {
  readonly segment: number;
  readonly bytes: number;
  /** Time of its first batch, ms since epoch. */
  readonly firstTimeMs: number;
  readonly lastTimeMs: number;
}

/** What a list of partitions must tell; the model does. */
interface Partitions {
  partitions(): readonly Pick<Partition<unknown>, "topicId" | "index" | "end">[];
}

export class SegmentList {
  readonly #segmentBytes: number;
  readonly #segmentMs: number;
  readonly #partitions: Partitions;
  #sealed: SealedSegment[] = [];
  #newest: NewestSegment | undefined;
  /** Ends by topic and partition when the newest segment began. */
  #endsBefore: number[][] = [];

  /** @param segmentMs time after its first batch from which on a segment is left for a new one. */
  constructor(segmentBytes: number, partitions: Partitions, segmentMs = Number.POSITIVE_INFINITY) {
    this.#segmentBytes = segmentBytes;
    this.#segmentMs = segmentMs;
    this.#partitions = partitions;
  }

  get newest(): NewestSegment | undefined {
    return this.#newest;
  }

  get sealed(): readonly SealedSegment[] {
    return this.#sealed;
  }

  /** The oldest segment that is kept. */
  get oldest(): number | undefined {
    return this.#sealed[0]?.segment ?? this.#newest?.segment;
  }

  /** Where a batch goes: a segment is left before it grows beyond its size, and once it is old. */
  place(batchSequence: number, length: number, timeMs: number): BatchPlace {
    const newest = this.#newest;
    if (newest === undefined) return { segment: batchSequence, position: firstBatchPosition };
    const isLeft = newest.bytes + length > this.#segmentBytes || this.#isOld(newest, timeMs);
    if (isLeft && newest.bytes > firstBatchPosition) return { segment: batchSequence, position: firstBatchPosition };
    return { segment: newest.segment, position: newest.bytes };
  }

  /** Whether the newest segment has messages that stay for no other reason than that nothing more is written. */
  isOverdue(nowMs: number): boolean {
    return this.#newest !== undefined && this.#isOld(this.#newest, nowMs) && this.#hasMoved();
  }

  /** True for a place in a segment that is not there yet. */
  begins(place: BatchPlace): boolean {
    return place.segment !== this.#newest?.segment;
  }

  /** The batch is durable and not visible yet. True when it sealed a segment. */
  written(place: BatchPlace, length: number, timeMs: number): boolean {
    const sealed = this.#enter(place.segment);
    const firstTimeMs = place.position === firstBatchPosition ? timeMs : (this.#newest?.firstTimeMs ?? timeMs);
    this.#newest = { segment: place.segment, bytes: place.position + length, firstTimeMs, lastTimeMs: timeMs };
    return sealed;
  }

  /** A segment is there, with its header alone. True when it sealed a segment. */
  begun(segment: number, timeMs: number): boolean {
    const sealed = this.#enter(segment);
    this.#newest = { segment, bytes: firstBatchPosition, firstTimeMs: timeMs, lastTimeMs: timeMs };
    return sealed;
  }

  /** Takes over a segment that a snapshot tells of, oldest first, before anything is written. */
  restore(sealed: SealedSegment): void {
    const before = this.#sealed.at(-1)?.segment ?? -1;
    if (this.#newest !== undefined || sealed.segment <= before) throw new RangeError("a segment comes out of order");
    this.#sealed.push(sealed);
  }

  /** Nothing is written to the newest segment any more. */
  seal(): void {
    const ends = this.#noteEnds();
    if (this.#newest !== undefined) {
      const { segment, bytes, lastTimeMs } = this.#newest;
      this.#sealed.push({ segment, bytes, lastTimeMs, ends });
    }
    this.#newest = undefined;
  }

  /** Forgets the segments before that one, which must be in the list, and returns them. */
  dropBefore(segment: number): SealedSegment[] {
    const count = this.#sealed.findIndex((sealed) => sealed.segment === segment);
    if (count === -1 && this.#newest?.segment !== segment) throw new RangeError(`no segment begins with ${segment}`);
    return this.#sealed.splice(0, count === -1 ? this.#sealed.length : count);
  }

  #enter(segment: number): boolean {
    const left = this.#newest;
    if (left?.segment === segment) return false;
    this.seal();
    return left !== undefined;
  }

  #isOld({ firstTimeMs }: NewestSegment, nowMs: number): boolean {
    return nowMs - firstTimeMs > this.#segmentMs;
  }

  #hasMoved(): boolean {
    for (const { topicId, index, end } of this.#partitions.partitions()) {
      if (end > (this.#endsBefore[topicId]?.[index] ?? 0)) return true;
    }
    return false;
  }

  /** The ends that moved since the newest segment began. */
  #noteEnds(): PartitionEnd[] {
    const moved: PartitionEnd[] = [];
    for (const { topicId, index, end } of this.#partitions.partitions()) {
      let ends = this.#endsBefore[topicId];
      if (ends === undefined) {
        ends = [];
        this.#endsBefore[topicId] = ends;
      }
      if (end > (ends[index] ?? 0)) moved.push({ topicId, partition: index, end });
      ends[index] = end;
    }
    return moved;
  }
}
