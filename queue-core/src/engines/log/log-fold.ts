/**
 * Rebuilds the model from the records of the log, in their order.
 *
 * What can go wrong: a record that does not follow from those before it, which only a faulty writer makes.
 * Promise: it ends in a RangeError, which recovery reports as CORRUPT with its place.
 */
import type { StateWrite, TopicConfig } from "../../engine.ts";
import type { Model, Partition } from "../model.ts";
import type { BatchHeader } from "./layout.ts";
import type { BatchPlace, PartitionMessages } from "./partition-messages.ts";
import type { RecoveryVisitor } from "./recovery.ts";
import type { SegmentList } from "./segment-list.ts";

export class LogFold implements RecoveryVisitor {
  readonly #model: Model<PartitionMessages>;
  readonly #segments: SegmentList;
  #place: BatchPlace = { segment: 0, position: 0 };
  #lastTimeMs = 0;
  #incarnations = 0;

  constructor(model: Model<PartitionMessages>, segments: SegmentList) {
    this.#model = model;
    this.#segments = segments;
  }

  /** Time of the last commit in ms since epoch; 0 for a new log. */
  get lastTimeMs(): number {
    return this.#lastTimeMs;
  }

  /** How often the log was opened. */
  get incarnations(): number {
    return this.#incarnations;
  }

  batch(place: BatchPlace, header: BatchHeader): void {
    this.#place = place;
    this.#segments.written(place, header.length, header.timeMs);
    // Entries that expired meanwhile need not all be in memory at once.
    this.#model.state.sweep(header.timeMs);
  }

  emptySegment(segment: number): void {
    this.#segments.begun(segment, this.#lastTimeMs);
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

  put(write: StateWrite): void {
    // A value of its own: the view would keep the whole segment in memory.
    this.#model.state.restore(write.value === null ? write : { ...write, value: Buffer.from(write.value) });
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

  #partition(topicId: number, partition: number): Partition<PartitionMessages> {
    const found = this.#model.partitionOfTopicId(topicId, partition);
    if (found === undefined) throw new RangeError(`there is no partition ${partition} of topic ${topicId}`);
    return found;
  }
}
