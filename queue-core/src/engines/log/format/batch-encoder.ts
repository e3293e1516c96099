/**
 * Turns commits into the bytes of one batch (layout.ts draws them).
 *
 * What can go wrong: an envelope that costs more than the message. Promise: one growing buffer is used again for
 * every batch, no commit makes garbage here, and an encoded message's place is known, so that it can be read
 * from the batch without an object for each message.
 */
import type { AppendRequest, Commit, StateWrite, TopicConfig } from "../../../engine.ts";
import type { Reservation } from "../../model.ts";
import { batchHeaderBytes, commitFlags, putKinds, writeBatchHeader } from "./layout.ts";
import { writeHeaders } from "./message-headers.ts";
import { RecordWriter } from "./record-writer.ts";

export interface LogOnlyRecords {
  readonly topics?: readonly TopicConfig[];
  readonly incarnation?: number;
  /** First batch of the oldest segment that is kept from now on. */
  readonly retainedFrom?: number;
}

export class BatchEncoder {
  readonly #out = new RecordWriter(batchHeaderBytes, 256 * 1024);
  #commits = 0;
  #firstCommitSequence = 0;
  #timeMs = 0;
  #positions: number[] = [];

  get commits(): number {
    return this.#commits;
  }

  add(reservation: Reservation<unknown>, topicIdOf: (topic: string) => number, extra?: LogOnlyRecords): void {
    const { commit, receipt } = reservation;
    if (this.#commits === 0) {
      this.#firstCommitSequence = receipt.sequence;
      this.#timeMs = receipt.timeMs;
    }
    this.#commits++;
    const out = this.#out;
    out.byte(flagsOf(commit, extra));
    const afterMs = receipt.timeMs - this.#timeMs;
    out.varint(afterMs);
    if (commit.retire !== undefined) {
      out.text(commit.retire.group);
      out.varint(topicIdOf(commit.retire.topic));
    }
    if (commit.advance !== undefined) this.#advance(commit.advance, topicIdOf(commit.advance.topic));
    if (commit.put !== undefined) this.#puts(commit.put);
    if (commit.append !== undefined) {
      out.varint(commit.append.length);
      for (let index = 0; index < commit.append.length; index++) {
        const target = reservation.targets[index] as Reservation<unknown>["targets"][number];
        this.#message(
          commit.append[index] as AppendRequest,
          target.topicId,
          target.index,
          receipt.offsets[index] as number,
          afterMs,
        );
      }
    }
    if (extra?.topics !== undefined) this.#topics(extra.topics);
    if (extra?.incarnation !== undefined) out.varint(extra.incarnation);
    if (extra?.retainedFrom !== undefined) out.varint(extra.retainedFrom);
  }

  /** The batch in a buffer of its own, without its CRC, and where each message starts in it. Begins the next one. */
  finish(batchSequence: number): { readonly bytes: Buffer; readonly timeMs: number; readonly positions: number[] } {
    const bytes = this.#out.copy();
    const timeMs = this.#timeMs;
    writeBatchHeader(bytes, {
      length: bytes.length,
      commits: this.#commits,
      batchSequence,
      firstCommitSequence: this.#firstCommitSequence,
      timeMs,
    });
    const positions = this.#positions;
    this.discard();
    return { bytes, timeMs, positions };
  }

  /** Forgets what was added. */
  discard(): void {
    this.#out.reset();
    this.#commits = 0;
    this.#positions = [];
  }

  #advance(advance: NonNullable<Commit["advance"]>, topicId: number): void {
    const out = this.#out;
    out.text(advance.group);
    out.varint(topicId);
    out.varint(advance.partition);
    out.varint(advance.to);
  }

  #puts(writes: readonly StateWrite[]): void {
    const out = this.#out;
    out.varint(writes.length);
    for (const write of writes) {
      out.text(write.namespace);
      out.text(write.key);
      if (write.value === null) {
        out.byte(putKinds.delete);
        continue;
      }
      if (write.expiresAtMs === undefined) {
        out.byte(putKinds.value);
      } else {
        out.byte(putKinds.expiringValue);
        out.double(write.expiresAtMs);
      }
      out.bytes(write.value);
    }
  }

  #message(request: AppendRequest, topicId: number, partition: number, offset: number, afterMs: number): void {
    const out = this.#out;
    this.#positions.push(out.at);
    out.varint(topicId);
    out.varint(partition);
    out.varint(offset);
    out.varint(afterMs);
    out.text(request.key);
    if (request.headers === undefined) out.byte(0);
    else writeHeaders(out, request.headers);
    out.bytes(request.value);
  }

  #topics(topics: readonly TopicConfig[]): void {
    const out = this.#out;
    out.varint(topics.length);
    for (const topic of topics) {
      out.text(topic.name);
      out.varint(topic.partitions);
      out.varint(topic.ringMessages ?? 0);
    }
  }
}

function flagsOf(commit: Commit, extra: LogOnlyRecords | undefined): number {
  return (
    (commit.advance === undefined ? 0 : commitFlags.advance) |
    (commit.put === undefined ? 0 : commitFlags.put) |
    (commit.append === undefined ? 0 : commitFlags.append) |
    (extra?.topics === undefined ? 0 : commitFlags.topics) |
    (extra?.incarnation === undefined ? 0 : commitFlags.incarnation) |
    (commit.retire === undefined ? 0 : commitFlags.retire) |
    (extra?.retainedFrom === undefined ? 0 : commitFlags.retainedFrom)
  );
}
