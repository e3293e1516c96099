/**
 * Reads the messages of a partition: recent ones from memory, older ones from the segment files.
 *
 * What can go wrong: bytes that were good at start rot later; retention removes a segment while it is read. Promises:
 * each batch read is checked by its CRC, and a damaged one is CORRUPT with file and byte offset, never a wrong
 * message; a read ends early where the rest of its messages went meanwhile, and begins with the oldest that are left
 * where the first one did. No file is opened after it went: it is opened in the turn in which the index was asked,
 * and the index forgets a segment before its file goes.
 */
import type { StoredMessage } from "../../../engine.ts";
import type { ReadLimits } from "../../message-ring.ts";
import type { Partition } from "../../model.ts";
import { decodeMessage } from "../format/batch-decoder.ts";
import type { BatchPlace, PartitionMessages } from "./partition-messages.ts";
import { type SegmentFiles, type SegmentWindow, SegmentWindows } from "./segment-windows.ts";

export class LogReader {
  readonly #windows: SegmentWindows;

  constructor(files: SegmentFiles) {
    this.#windows = new SegmentWindows(files);
  }

  /** From `fromOffset` on, as far as the limits reach; at least one message when there is one. */
  async read(
    partition: Partition<PartitionMessages>,
    fromOffset: number,
    limits: ReadLimits,
  ): Promise<readonly StoredMessage[]> {
    for (let from = fromOffset; ; from = partition.start) {
      const { store, end } = partition;
      if (from >= end || limits.maxMessages <= 0) return [];
      const recentStart = store.recentStart ?? end;
      if (from >= recentStart) return readFromMemory(partition, from, limits);
      const messages = await this.#readFromSegments(partition, from, recentStart, limits);
      if (messages.length > 0) return messages;
      if (partition.start <= from) throw new Error(`no place of ${partition.topic.name}/${partition.index} ${from}`);
    }
  }

  /** None where the first of them went meanwhile. */
  async #readFromSegments(
    partition: Partition<PartitionMessages>,
    fromOffset: number,
    endOffset: number,
    limits: ReadLimits,
  ): Promise<readonly StoredMessage[]> {
    const { store, topic, topicId, index } = partition;
    const found = new LimitedMessages(limits);
    let next = fromOffset;
    let place: BatchPlace | undefined;
    while (!found.isFull && next < endOffset) {
      const entry = store.find(next);
      if (entry === undefined) break;
      if (place === undefined || isBefore(place, entry)) place = entry;
      const window: SegmentWindow = this.#windows.find(place) ?? (await this.#windows.load(place));
      const run = window.run(topicId, index);
      if (run !== undefined && next >= run.firstOffset) {
        const until = Math.min(endOffset, run.firstOffset + run.length);
        while (next < until && found.add(run.at(next - run.firstOffset, topic.name))) next++;
      }
      place = { segment: place.segment, position: window.end };
    }
    return found.messages;
  }
}

function isBefore(place: BatchPlace, other: BatchPlace): boolean {
  return place.segment === other.segment ? place.position < other.position : place.segment < other.segment;
}

/** Messages up to the limits, but always one. */
class LimitedMessages {
  readonly messages: StoredMessage[] = [];
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  #bytes = 0;
  #isFull = false;

  constructor({ maxMessages, maxBytes = Number.POSITIVE_INFINITY }: ReadLimits) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** False where there is no room for it. */
  add(message: StoredMessage): boolean {
    this.#bytes += message.value.length;
    if (this.#isFull || (this.messages.length > 0 && this.#bytes > this.#maxBytes)) {
      this.#isFull = true;
      return false;
    }
    this.messages.push(message);
    this.#isFull = this.messages.length >= this.#maxMessages;
    return true;
  }
}

function readFromMemory(
  { store, topic, end }: Partition<PartitionMessages>,
  fromOffset: number,
  limits: ReadLimits,
): readonly StoredMessage[] {
  const found = new LimitedMessages(limits);
  for (const { batch, position } of store.recent(fromOffset, end)) {
    if (!found.add(decodeMessage(batch.bytes, batch.timeMs, position, topic.name)) || found.isFull) break;
  }
  return found.messages;
}
