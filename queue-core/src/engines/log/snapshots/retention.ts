/**
 * Which segments may go, and what goes with them.
 *
 * What can go wrong: a message goes that somebody has yet to read, or a segment that a restart still needs. Promises:
 * a segment goes only after all older ones, once a durable snapshot holds what is in it, every group that the log
 * knows has consumed all of its messages, and it is too old or the log too large.
 *
 * It goes in this order: a `retainedFrom` record is committed, from which on nobody reads it; then its file is
 * removed; what a crash leaves in between, recovery removes.
 */
import type { Commit } from "../../../engine.ts";
import type { Model } from "../../model.ts";
import type { PartitionMessages } from "../reading/partition-messages.ts";
import type { PartitionEnd, SealedSegment, SegmentList } from "../reading/segment-list.ts";

export interface Retention {
  /** Age of its last batch after which a segment may go. */
  readonly ms: number;
  /** Size of the log above which its oldest segments may go. */
  readonly bytes: number;
}

const longestLookMs = 24 * 60 * 60 * 1000;

/**
 * A segment is left when it is so old, in ms, and the log is looked at as often: a message goes at the latest when it
 * is one and a half times as old as it has to be.
 */
export function quarterOf({ ms }: Retention): number {
  return Math.min(Math.max(ms / 4, 100), longestLookMs);
}

export interface RetainedLog {
  readonly model: Model<PartitionMessages>;
  readonly segments: SegmentList;
  /** Commits on their way to disk: what they advance to counts as well. */
  readonly underWay: Iterable<Commit>;
  /** Batches before this one are in a durable snapshot. */
  readonly coveredTo: number;
  readonly nowMs: number;
}

/** The oldest segment that is to be kept from now on; undefined when all are. */
export function firstRetained(retention: Retention, log: RetainedLog): number | undefined {
  const { sealed, newest } = log.segments;
  let bytes = sealed.reduce((sum, segment) => sum + segment.bytes, newest?.bytes ?? 0);
  const needed = new NeededOffsets(log.model, log.underWay);
  let first: number | undefined;
  for (const [index, segment] of sealed.entries()) {
    if (segment.segment >= log.coveredTo) break;
    const isOld = log.nowMs - segment.lastTimeMs > retention.ms;
    if (!isOld && bytes <= retention.bytes) break;
    if (segment.ends.some((end) => needed.lowest(end) < end.end)) break;
    bytes -= segment.bytes;
    first = sealed[index + 1]?.segment ?? newest?.segment;
  }
  return first;
}

/** Makes it true that the log begins with that segment; throws RangeError when there is none. Returns what went. */
export function dropSegments(model: Model<PartitionMessages>, segments: SegmentList, first: number): SealedSegment[] {
  const dropped = segments.dropBefore(first);
  for (const { ends } of dropped) {
    for (const { topicId, partition, end } of ends) {
      const found = model.partitionOfTopicId(topicId, partition);
      if (found === undefined) throw new RangeError(`there is no partition ${partition} of topic ${topicId}`);
      found.start = Math.max(found.start, end);
      found.store.dropIndexBefore(found.start);
    }
  }
  return dropped;
}

/** From where on each partition is still to be read by some group. */
class NeededOffsets {
  readonly #model: Model<PartitionMessages>;
  /** Lowest offset that a commit under way advances a group to, by topic, group and partition. */
  readonly #underWay = new Map<number, Map<string, Map<number, number>>>();
  readonly #groups = new Map<number, Set<string>>();

  constructor(model: Model<PartitionMessages>, underWay: Iterable<Commit>) {
    this.#model = model;
    for (const { advance } of underWay) {
      if (advance === undefined) continue;
      const { topicId } = model.partition(advance.topic, 0);
      const groups = getOrAdd(this.#underWay, topicId, () => new Map<string, Map<number, number>>());
      const offsets = getOrAdd(groups, advance.group, () => new Map<number, number>());
      offsets.set(advance.partition, Math.min(advance.to, offsets.get(advance.partition) ?? advance.to));
    }
  }

  lowest({ topicId, partition }: Pick<PartitionEnd, "topicId" | "partition">): number {
    const found = this.#model.partitionOfTopicId(topicId, partition);
    if (found === undefined) return 0;
    let lowest = Number.POSITIVE_INFINITY;
    for (const group of this.#groupsOf(topicId)) {
      const underWay = this.#underWay.get(topicId)?.get(group)?.get(partition) ?? Number.POSITIVE_INFINITY;
      lowest = Math.min(lowest, Math.max(found.start, Math.min(found.committed.get(group) ?? 0, underWay)));
    }
    return lowest;
  }

  /** Known by an advance on any partition of the topic. */
  #groupsOf(topicId: number): Set<string> {
    return getOrAdd(this.#groups, topicId, () => {
      const groups = new Set(this.#underWay.get(topicId)?.keys());
      for (let partition = 0; ; partition++) {
        const found = this.#model.partitionOfTopicId(topicId, partition);
        if (found === undefined) return groups;
        for (const group of found.committed.keys()) groups.add(group);
      }
    });
  }
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = create();
    map.set(key, value);
  }
  return value;
}
