/**
 * Rebuilds the model from a snapshot, if there is one, and the records of the log after it, in their order.
 *
 * What can go wrong: a record that does not follow from those before it, which only a faulty writer makes.
 * Promise: it ends in a RangeError, which recovery reports as CORRUPT with its place.
 */
import type { StateWrite, TopicConfig } from "../../../engine.ts";
import type { Model, Partition } from "../../model.ts";
import type { BatchHeader } from "../format/layout.ts";
import type { BatchPlace, PartitionMessages } from "../reading/partition-messages.ts";
import type { SealedSegment, SegmentList } from "../reading/segment-list.ts";
import { dropSegments } from "../snapshots/retention.ts";
import type { SnapshotHeader } from "../snapshots/snapshot-layout.ts";
import type { SnapshotPartition, SnapshotVisitor } from "../snapshots/snapshot-reader.ts";
import type { SegmentVisitor } from "./segment-fold.ts";

export class LogFold implements SegmentVisitor, SnapshotVisitor {
  readonly segments: SegmentList;
  readonly #model: Model<PartitionMessages>;
  #place: BatchPlace = { segment: 0, position: 0 };
  #lastBatch: BatchPlace | undefined;
  #lastTimeMs = 0;
  #incarnations = 0;

  constructor(model: Model<PartitionMessages>, segments: SegmentList) {
    this.#model = model;
    this.segments = segments;
  }

  /** Time of the last commit in ms since epoch; 0 for a new log. */
  get lastTimeMs(): number {
    return this.#lastTimeMs;
  }

  /** How often the log was opened. */
  get incarnations(): number {
    return this.#incarnations;
  }

  /** Undefined where no batch was folded. */
  get lastBatch(): BatchPlace | undefined {
    return this.#lastBatch;
  }

  batch(place: BatchPlace, header: BatchHeader): void {
    this.#place = place;
    this.#lastBatch = place;
    this.segments.written(place, header.length, header.timeMs);
    // Entries that expired meanwhile need not all be in memory at once.
    this.#model.state.sweep(header.timeMs);
  }

  emptySegment(segment: number): void {
    this.segments.begun(segment, this.#lastTimeMs);
  }

  commit(_sequence: number, timeMs: number): void {
    if (!(timeMs >= this.#lastTimeMs)) throw new RangeError(`time goes back from ${this.#lastTimeMs} to ${timeMs}`);
    this.#lastTimeMs = timeMs;
  }

  retire(group: string, topicId: number): void {
    this.#partition(topicId, 0);
    this.#model.retire(group, topicId);
  }

  advance(group: string, topicId: number, partition: number, to: number): void {
    this.#partition(topicId, partition).committed.set(group, to);
  }

  /** The value may be a view of what was read. */
  put(write: StateWrite): void {
    this.#model.state.restore(write);
  }

  message(topicId: number, partition: number, offset: number): void {
    const target = this.#partition(topicId, partition);
    if (offset !== target.end) throw new RangeError(`offset ${offset} where ${target.end} was due`);
    target.store.index(offset, this.#place);
    this.#model.restoreMessage(target);
    if (target.topic.ringMessages !== undefined) target.store.dropIndexBefore(target.start);
  }

  topic(config: TopicConfig): void {
    if (this.#model.undeclared([config]).length === 0) throw new RangeError(`topic ${config.name} declared twice`);
    this.#model.addTopic(config);
  }

  incarnation(incarnation: number): void {
    if (incarnation !== this.#incarnations + 1) throw new RangeError(`incarnation ${incarnation} out of order`);
    this.#incarnations = incarnation;
  }

  retainedFrom(segment: number): void {
    dropSegments(this.#model, this.segments, segment);
  }

  snapshot(header: SnapshotHeader): void {
    this.#lastTimeMs = header.lastTimeMs;
    this.#incarnations = header.incarnations;
  }

  restorePartition({ topicId, partition, start, end, committed, places }: SnapshotPartition): void {
    const target = this.#partition(topicId, partition);
    if (!(start <= end)) throw new RangeError(`a partition from ${start} to ${end}`);
    target.start = start;
    target.end = end;
    target.next = end;
    for (const [group, offset] of committed) target.committed.set(group, offset);
    for (const place of places) target.store.restorePlace(place.firstOffset, place);
  }

  restoreSegment(sealed: SealedSegment): void {
    this.segments.restore(sealed);
  }

  #partition(topicId: number, partition: number): Partition<PartitionMessages> {
    const found = this.#model.partitionOfTopicId(topicId, partition);
    if (found === undefined) throw new RangeError(`there is no partition ${partition} of topic ${topicId}`);
    return found;
  }
}
