/**
 * What an engine asks of call.lua: each operation writes itself, and settles with what the script gave it.
 *
 * What can go wrong: an operation that is read differently than it was written. Promise: the header of each handler
 * in call.lua and the `write` here draw the same array.
 */
import type { Commit, CommitReceipt, Lease, PartitionRef, TopicConfig } from "../../engine.ts";
import { QueueError } from "../../errors.ts";
import { checkAdvance } from "../commit-rules.ts";
import type { CallWriter, Place } from "./call-writer.ts";
import { groupsSuffix, leasesSuffix, membersSuffix, offsetsSuffix } from "./cell-keys.ts";
import { encodeEntry, MessageEncoder } from "./stored-records.ts";
import { decodeText } from "./text.ts";

/** What a call gave all of its operations. */
export interface CallReply {
  readonly timeMs: number;
  /** What the next commit is given; counts up as commits settle, in their order. */
  nextSequence: number;
  /** What the next message of each place is given, by place number less 1; counts up likewise. */
  readonly nextOffsets: number[];
}

export interface Operation {
  /** Messages, entries and the operation itself: what a call is bounded by. */
  readonly weight: number;
  /** What of it is bytes of the caller. */
  readonly bytes: number;
  /** A publish from outside: refused where memory is full, so that what drains it goes on. */
  readonly isEntry: boolean;
  write(out: CallWriter): void;
  settle(result: unknown, reply: CallReply): void;
  reject(error: unknown): void;
}

/** The partition of an operation; throws UNKNOWN_TOPIC. */
export type FindPlace = (topic: string, partition: number) => Place;

const encoder = new MessageEncoder();

abstract class Settling<Result> {
  readonly promise: Promise<Result>;
  readonly reject: (error: unknown) => void;
  protected readonly resolve: (result: Result) => void;

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.promise = promise;
    this.resolve = resolve;
    this.reject = reject;
  }
}

export interface StoredCommit {
  readonly commit: Commit;
  readonly receipt: CommitReceipt;
}

export class CommitOperation extends Settling<CommitReceipt> implements Operation {
  readonly weight: number;
  readonly bytes: number;
  readonly isEntry: boolean;
  readonly #commit: Commit;
  readonly #places: readonly Place[];
  readonly #advanced: Place | undefined;
  readonly #onStored: (stored: StoredCommit) => void;
  #placeNumbers: readonly number[] = [];

  /** The commit has been checked; `onStored` is called before the promise resolves. */
  constructor(commit: Commit, findPlace: FindPlace, onStored: (stored: StoredCommit) => void) {
    super();
    this.#commit = commit;
    this.#onStored = onStored;
    this.#places = (commit.append ?? []).map(({ topic, partition }) => findPlace(topic, partition));
    this.#advanced = commit.advance && findPlace(commit.advance.topic, commit.advance.partition);
    if (commit.retire !== undefined) findPlace(commit.retire.topic, 0);
    this.weight = 1 + this.#places.length + (commit.put?.length ?? 0) + (commit.expect?.length ?? 0);
    let bytes = 0;
    for (const { value, key } of commit.append ?? []) bytes += value.length + key.length;
    for (const { value, key } of commit.put ?? []) bytes += (value?.length ?? 0) + key.length;
    this.bytes = bytes;
    this.isEntry =
      commit.fence === undefined && (this.#places.length > 0 || (commit.put ?? []).some(({ value }) => value !== null));
  }

  write(out: CallWriter): void {
    out.array(7);
    out.number(1);
    this.#writeFence(out);
    this.#writeOffsets(out);
    this.#writeState(out);
    this.#writeMessages(out);
  }

  settle(result: unknown, reply: CallReply): void {
    if (result !== 0) {
      this.reject(this.#refusal(result as readonly number[]));
      return;
    }
    const offsets = this.#placeNumbers.map((number) => {
      const offset = reply.nextOffsets[number - 1] as number;
      reply.nextOffsets[number - 1] = offset + 1;
      return offset;
    });
    const receipt = { sequence: reply.nextSequence++, timeMs: reply.timeMs, offsets };
    this.#onStored({ commit: this.#commit, receipt });
    this.resolve(receipt);
  }

  #writeFence(out: CallWriter): void {
    const { fence } = this.#commit;
    if (fence === undefined) {
      out.none();
      return;
    }
    out.array(4);
    out.text(leasesSuffix(fence.topic, fence.group));
    out.text(String(fence.partition));
    out.number(fence.epoch);
    out.text(fence.member);
  }

  #writeOffsets(out: CallWriter): void {
    const { advance, retire } = this.#commit;
    if (advance === undefined || this.#advanced === undefined) {
      out.none();
    } else {
      out.array(6);
      out.text(offsetsSuffix(advance.topic, advance.group));
      out.text(groupsSuffix(advance.topic));
      out.text(advance.group);
      out.text(String(advance.partition));
      out.number(out.placeNumber(this.#advanced));
      out.number(advance.to);
    }
    if (retire === undefined) {
      out.none();
    } else {
      out.array(3);
      out.text(offsetsSuffix(retire.topic, retire.group));
      out.text(groupsSuffix(retire.topic));
      out.text(retire.group);
    }
  }

  #writeState(out: CallWriter): void {
    const { expect = [], put = [] } = this.#commit;
    if (expect.length === 0) out.none();
    else out.array(expect.length * 3);
    for (const { namespace, key, is } of expect) {
      out.number(out.namespaceNumber(namespace));
      out.text(key);
      out.boolean(is === "present");
    }
    if (put.length === 0) out.none();
    else out.array(put.length * 4);
    for (const { namespace, key, value, expiresAtMs } of put) {
      out.number(out.namespaceNumber(namespace));
      out.text(key);
      if (value === null) out.none();
      else out.bytes(encodeEntry(value, expiresAtMs));
      if (value === null || expiresAtMs === undefined) out.none();
      else out.number(expiresAtMs);
    }
  }

  #writeMessages(out: CallWriter): void {
    const { append = [] } = this.#commit;
    this.#placeNumbers = this.#places.map((place) => out.placeNumber(place));
    if (append.length === 0) out.none();
    else out.array(append.length * 2);
    for (const [index, request] of append.entries()) {
      out.number(this.#placeNumbers[index] as number);
      out.bytes(encoder.encode(request));
    }
  }

  #refusal([code, detail]: readonly number[]): QueueError {
    const { fence, expect = [], advance } = this.#commit;
    if (code === 1 && fence !== undefined) {
      const { group, topic, partition, member, epoch } = fence;
      return new QueueError("FENCED", `${member} lost ${topic}/${partition} of group ${group} held in epoch ${epoch}`);
    }
    const failed = expect[detail as number];
    if (code === 2 && failed !== undefined) {
      return new QueueError("CONFLICT", `${failed.namespace} ${failed.key} is not ${failed.is}`);
    }
    if (code === 3 && advance !== undefined) {
      try {
        checkAdvance(advance, detail as number);
      } catch (error) {
        if (error instanceof QueueError) return error;
      }
    }
    throw new Error(`the script refused a commit with ${code} ${detail}`);
  }
}

/** An operation that is neither large nor a publish. */
export abstract class SmallOperation<Result> extends Settling<Result> {
  readonly weight = 1;
  readonly bytes = 0;
  readonly isEntry = false;
}

export class AcquireOperation extends SmallOperation<Lease | undefined> implements Operation {
  readonly #ref: PartitionRef & { readonly member: string; readonly ttlMs: number };

  constructor(ref: PartitionRef & { readonly member: string; readonly ttlMs: number }) {
    super();
    this.#ref = ref;
  }

  write(out: CallWriter): void {
    const { group, topic, partition, member, ttlMs } = this.#ref;
    out.array(5);
    out.number(2);
    out.text(leasesSuffix(topic, group));
    out.text(String(partition));
    out.text(member);
    out.number(ttlMs);
  }

  settle(result: unknown): void {
    const { group, topic, partition, member } = this.#ref;
    this.resolve(result === 0 ? undefined : { group, topic, partition, member, epoch: result as number });
  }
}

export class RenewOperation extends SmallOperation<boolean> implements Operation {
  readonly #lease: Lease;
  readonly #ttlMs: number;

  constructor(lease: Lease, ttlMs: number) {
    super();
    this.#lease = lease;
    this.#ttlMs = ttlMs;
  }

  write(out: CallWriter): void {
    out.array(6);
    out.number(3);
    writeLease(out, this.#lease);
    out.number(this.#ttlMs);
  }

  settle(result: unknown): void {
    this.resolve(result === 1);
  }
}

export class ReleaseOperation extends SmallOperation<void> implements Operation {
  readonly #lease: Lease;

  constructor(lease: Lease) {
    super();
    this.#lease = lease;
  }

  write(out: CallWriter): void {
    out.array(5);
    out.number(4);
    writeLease(out, this.#lease);
  }

  settle(): void {
    this.resolve();
  }
}

function writeLease(out: CallWriter, { group, topic, partition, epoch, member }: Lease): void {
  out.text(leasesSuffix(topic, group));
  out.text(String(partition));
  out.number(epoch);
  out.text(member);
}

export class HeartbeatOperation extends SmallOperation<void> implements Operation {
  readonly #member: { readonly group: string; readonly name: string; readonly ttlMs: number };

  constructor(member: { readonly group: string; readonly name: string; readonly ttlMs: number }) {
    super();
    this.#member = member;
  }

  write(out: CallWriter): void {
    out.array(4);
    out.number(5);
    out.text(membersSuffix(this.#member.group));
    out.text(this.#member.name);
    out.number(this.#member.ttlMs);
  }

  settle(): void {
    this.resolve();
  }
}

export class MembersOperation extends SmallOperation<readonly string[]> implements Operation {
  readonly #group: string;

  constructor(group: string) {
    super();
    this.#group = group;
  }

  write(out: CallWriter): void {
    out.array(2);
    out.number(6);
    out.text(membersSuffix(this.#group));
  }

  settle(result: unknown): void {
    this.resolve(Array.isArray(result) ? result.map((member: Buffer) => decodeText(member)).sort() : []);
  }
}

/** Gives the topics as they are in force. */
export class DeclareOperation extends SmallOperation<readonly TopicConfig[]> implements Operation {
  readonly #topics: readonly TopicConfig[];

  constructor(topics: readonly TopicConfig[]) {
    super();
    this.#topics = topics;
  }

  write(out: CallWriter): void {
    out.array(1 + this.#topics.length);
    out.number(7);
    for (const { name, partitions, ringMessages } of this.#topics) {
      out.array(3);
      out.text(name);
      out.number(partitions);
      out.number(ringMessages ?? 0);
    }
  }

  settle(result: unknown): void {
    const rings = Array.isArray(result) ? (result as readonly number[]) : [];
    if (rings[0] === -1) {
      const { name, partitions } = this.#topics[rings[1] as number] as TopicConfig;
      const detail = `topic ${name} has ${rings[2]} partitions and cannot have ${partitions}`;
      this.reject(new QueueError("INVALID_ARGUMENT", detail));
      return;
    }
    this.resolve(
      this.#topics.map(({ name, partitions }, index) => {
        const ringMessages = rings[index] as number;
        return ringMessages === 0 ? { name, partitions } : { name, partitions, ringMessages };
      }),
    );
  }
}
