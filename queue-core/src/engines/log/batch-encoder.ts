/**
 * Turns commits into the bytes of one batch (layout.ts draws them).
 *
 * What can go wrong: an envelope that costs more than the message. Promise: one growing buffer is used again for
 * every batch, no commit makes garbage here, and an encoded message's place is known, so that it can be read
 * from the batch without an object for each message.
 */
import type { AppendRequest, Commit, MessageHeaders, StateWrite, TopicConfig } from "../../engine.ts";
import type { Reservation } from "../model.ts";
import { batchHeaderBytes, commitFlags, headerFlags, putKinds, writeBatchHeader } from "./layout.ts";

const varintBytes = 8;

export interface LogOnlyRecords {
  readonly topics?: readonly TopicConfig[];
  readonly incarnation?: number;
}

export class BatchEncoder {
  #bytes = Buffer.allocUnsafeSlow(256 * 1024);
  #at = batchHeaderBytes;
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
    this.#reserve(1 + varintBytes);
    this.#bytes[this.#at++] = flagsOf(commit, extra);
    const afterMs = receipt.timeMs - this.#timeMs;
    this.#varint(afterMs);
    if (commit.advance !== undefined) this.#advance(commit.advance, topicIdOf(commit.advance.topic));
    if (commit.put !== undefined) this.#puts(commit.put);
    if (commit.append !== undefined) {
      this.#count(commit.append.length);
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
    if (extra?.incarnation !== undefined) this.#count(extra.incarnation);
  }

  /** The batch in a buffer of its own, without its CRC, and where each message starts in it. Begins the next one. */
  finish(batchSequence: number): { readonly bytes: Buffer; readonly timeMs: number; readonly positions: number[] } {
    const bytes = Buffer.allocUnsafeSlow(this.#at);
    this.#bytes.copy(bytes, 0, 0, this.#at);
    const timeMs = this.#timeMs;
    writeBatchHeader(bytes, {
      length: this.#at,
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
    this.#at = batchHeaderBytes;
    this.#commits = 0;
    this.#positions = [];
  }

  #advance(advance: NonNullable<Commit["advance"]>, topicId: number): void {
    this.#text(advance.group);
    this.#reserve(3 * varintBytes);
    this.#varint(topicId);
    this.#varint(advance.partition);
    this.#varint(advance.to);
  }

  #puts(writes: readonly StateWrite[]): void {
    this.#count(writes.length);
    for (const write of writes) {
      this.#text(write.namespace);
      this.#text(write.key);
      this.#reserve(1 + 8);
      if (write.value === null) {
        this.#bytes[this.#at++] = putKinds.delete;
        continue;
      }
      if (write.expiresAtMs === undefined) {
        this.#bytes[this.#at++] = putKinds.value;
      } else {
        this.#bytes[this.#at++] = putKinds.expiringValue;
        this.#at = this.#bytes.writeDoubleLE(write.expiresAtMs, this.#at);
      }
      this.#value(write.value);
    }
  }

  #message(request: AppendRequest, topicId: number, partition: number, offset: number, afterMs: number): void {
    this.#positions.push(this.#at);
    this.#reserve(4 * varintBytes);
    this.#varint(topicId);
    this.#varint(partition);
    this.#varint(offset);
    this.#varint(afterMs);
    this.#text(request.key);
    if (request.headers === undefined) {
      this.#reserve(1);
      this.#bytes[this.#at++] = 0;
    } else {
      this.#headers(request.headers);
    }
    this.#value(request.value);
  }

  #headers(headers: MessageHeaders): void {
    const { id, deadlineMs, replyTo, ext } = headers;
    this.#reserve(1 + 8);
    const flagsAt = this.#at++;
    let flags = 0;
    if (id !== undefined) {
      flags |= headerFlags.id;
      this.#text(id);
    }
    if (deadlineMs !== undefined) {
      flags |= headerFlags.deadline;
      this.#reserve(8);
      this.#at = this.#bytes.writeDoubleLE(deadlineMs, this.#at);
    }
    if (replyTo !== undefined) {
      flags |= headerFlags.replyTo;
      this.#text(replyTo.topic);
      this.#count(replyTo.partition);
      this.#text(replyTo.correlationId);
    }
    if (ext !== undefined) {
      flags |= headerFlags.ext;
      const names = Object.keys(ext);
      this.#count(names.length);
      for (const name of names) {
        this.#text(name);
        this.#text(ext[name] as string);
      }
    }
    this.#bytes[flagsAt] = flags;
  }

  #topics(topics: readonly TopicConfig[]): void {
    this.#count(topics.length);
    for (const topic of topics) {
      this.#text(topic.name);
      this.#count(topic.partitions);
      this.#count(topic.ringMessages ?? 0);
    }
  }

  #count(count: number): void {
    this.#reserve(varintBytes);
    this.#varint(count);
  }

  #value(value: Buffer): void {
    this.#reserve(varintBytes + value.length);
    this.#varint(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** Most keys are short and narrow: one pass writes and checks them, faster than a call into native code. */
  #text(text: string): void {
    const length = text.length;
    this.#reserve(varintBytes + length * 2);
    const start = this.#at;
    this.#varint(length * 2);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0xff) {
        this.#at = start;
        this.#varint(length * 2 + 1);
        this.#at += bytes.write(text, this.#at, length * 2, "utf16le");
        return;
      }
      bytes[at++] = unit;
    }
    this.#at = at;
  }

  /** Room for it must have been reserved. */
  #varint(value: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    let rest = value;
    // Above 31 bits the bitwise operators would cut the number.
    while (rest > 0x7fffffff) {
      bytes[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      bytes[at++] = (rest & 127) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.#at = at;
  }

  #reserve(size: number): void {
    const needed = this.#at + size;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

function flagsOf(commit: Commit, extra: LogOnlyRecords | undefined): number {
  return (
    (commit.advance === undefined ? 0 : commitFlags.advance) |
    (commit.put === undefined ? 0 : commitFlags.put) |
    (commit.append === undefined ? 0 : commitFlags.append) |
    (extra?.topics === undefined ? 0 : commitFlags.topics) |
    (extra?.incarnation === undefined ? 0 : commitFlags.incarnation)
  );
}
