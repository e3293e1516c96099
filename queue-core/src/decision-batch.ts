/**
 * The decisions of one batch, gathered into one commit: an overlay of the state entries, the emitted messages and
 * the replies.
 *
 * What can go wrong:
 * - A decision fails half-way (an emission that cannot be encoded), or throws after it changed an object that `get`
 *   gave it: nothing of that message may stay. The batch is of no use any more then; its caller begins a new one.
 * - An entry that many messages of the batch touch would be parsed and written again for each: it is parsed once,
 *   when first read, and encoded once, when the batch ends.
 * - A reply address from outside may name a partition that does not exist; it must not stall the partition, so
 *   such a reply is dropped.
 * - An emission that interceptors saw is not stored after all: they hear of it, whatever the reason was.
 */
import { deadLetterEntry, type ErrorHistory } from "./dead-letters.ts";
import { delayedEntry } from "./delay.ts";
import type { AppendRequest, CommitReceipt, Engine, ReplyAddress, StateWrite, StoredMessage } from "./engine.ts";
import { QueueError } from "./errors.ts";
import { failedOutcome, type InterceptorChain, type PublishOutcome } from "./interceptors.ts";
import { checkDelayMs, checkMs } from "./number-checks.ts";
import { appendRequest } from "./publish.ts";
import type { Decision, Emission, EntryWrite, StateReader } from "./queue.ts";
import type { QueueContext } from "./queue-context.ts";
import type { Topic } from "./topic.ts";

interface Slot {
  /** As stored, until it is first read. */
  bytes: Buffer | undefined;
  value: unknown;
  isWritten: boolean;
  expiresAtMs: number | undefined;
}

/** An emission that interceptors saw. */
interface InterceptedEmission {
  readonly partition: number;
  /** Its place in the batch's appends; undefined when it is delayed. */
  readonly index: number | undefined;
  settle(outcome: PublishOutcome): void;
}

const noReply = Symbol("no reply");

export class DecisionBatch implements StateReader {
  readonly #engine: Engine;
  readonly #interceptors: InterceptorChain | undefined;
  readonly #namespace: string;
  readonly #nowMs: number;
  readonly #slots = new Map<string, Slot>();
  readonly #append: AppendRequest[] = [];
  readonly #put: StateWrite[] = [];
  readonly #intercepted: InterceptedEmission[] = [];
  readonly #buried: { readonly message: StoredMessage; readonly reason: string }[] = [];
  readonly #dues = new Map<string, number>();
  #declared: readonly string[] = [];

  constructor(
    context: Pick<QueueContext, "engine" | "interceptors">,
    namespace: string,
    nowMs: number,
    keys: readonly string[],
    values: readonly (Buffer | undefined)[],
  ) {
    this.#engine = context.engine;
    this.#interceptors = context.interceptors;
    this.#namespace = namespace;
    this.#nowMs = nowMs;
    for (const [index, key] of keys.entries()) {
      this.#slots.set(key, { bytes: values[index], value: undefined, isWritten: false, expiresAtMs: undefined });
    }
  }

  /** From now on `get` answers for the message that declared these keys. */
  declare(keys: readonly string[]): void {
    this.#declared = keys;
  }

  get<V>(key: string): V | undefined {
    if (!this.#declared.includes(key)) {
      throw new QueueError("INVALID_ARGUMENT", `state entry ${key} was read but not declared by keys()`);
    }
    const slot = this.#slots.get(key);
    if (slot === undefined) return undefined;
    if (slot.bytes !== undefined) {
      slot.value = JSON.parse(slot.bytes.toString("utf8"));
      slot.bytes = undefined;
    }
    return slot.value as V | undefined;
  }

  /** Takes a message's decision over. Where it throws the batch must not be committed. */
  apply(message: StoredMessage, source: string, decision: Decision): void {
    const { writes, emit } = decision;
    if (writes !== undefined) for (const write of writes) checkWrite(write);
    if (emit !== undefined)
      for (const [index, emission] of emit.entries()) this.#emit(message, source, index, emission);
    this.#reply(decision.replyTo ?? message.headers.replyTo, "reply" in decision ? decision.reply : noReply);
    if (writes !== undefined) for (const write of writes) this.#write(write);
  }

  addDeadLetter(group: string, message: StoredMessage, reason: string, history: ErrorHistory): void {
    this.#put.push(deadLetterEntry(group, message, message.value, { attempt: 1, reason, history }));
    this.#buried.push({ message, reason });
  }

  /** What goes to the dead letters with this batch: to be told of once it is committed. */
  get buried(): readonly { readonly message: StoredMessage; readonly reason: string }[] {
    return this.#buried;
  }

  /** When the first delayed message of each namespace is due. */
  get dues(): ReadonlyMap<string, number> {
    return this.#dues;
  }

  /** What the batch appends and puts. Throws where an entry's value has no JSON. */
  changes(): { readonly append: readonly AppendRequest[]; readonly put: readonly StateWrite[] } {
    const namespace = this.#namespace;
    const put = this.#put.slice();
    for (const [key, slot] of this.#slots) {
      if (!slot.isWritten) continue;
      const value = slot.value === undefined ? null : Buffer.from(JSON.stringify(slot.value));
      put.push(
        slot.expiresAtMs === undefined
          ? { namespace, key, value }
          : { namespace, key, value, expiresAtMs: slot.expiresAtMs },
      );
    }
    return { append: this.#append, put };
  }

  /** To be called with the receipt of the batch's commit. */
  stored(receipt: CommitReceipt): void {
    for (const { partition, index, settle } of this.#intercepted.splice(0)) {
      settle({ kind: "stored", partition, offset: index === undefined ? undefined : receipt.offsets[index] });
    }
  }

  /** To be called where the batch's commit failed. */
  failed(error: unknown): void {
    for (const { settle } of this.#intercepted.splice(0)) settle(failedOutcome(error));
  }

  /** To be called where the batch is not committed at all. */
  discarded(error: unknown): void {
    for (const { settle } of this.#intercepted.splice(0)) settle({ kind: "refused", error });
  }

  #write(write: EntryWrite): void {
    const value = write.value === null ? undefined : write.value;
    const expiresAtMs = write.expiresAfterMs === undefined ? undefined : this.#nowMs + write.expiresAfterMs;
    const slot = this.#slots.get(write.key);
    if (slot === undefined) {
      this.#slots.set(write.key, { bytes: undefined, value, isWritten: true, expiresAtMs });
      return;
    }
    slot.bytes = undefined;
    slot.value = value;
    slot.isWritten = true;
    slot.expiresAtMs = expiresAtMs;
  }

  #emit(message: StoredMessage, source: string, index: number, emission: Emission): void {
    const headers = emission.replyTo === undefined ? undefined : { replyTo: emission.replyTo };
    let request = appendRequest(emission.topic as Topic<unknown>, emission.value, headers);
    this.#checkPlace(request.topic, request.partition);
    checkDelayMs(emission.delayMs);
    const isDelayed = emission.delayMs !== undefined && emission.delayMs > 0;
    if (this.#interceptors !== undefined) {
      const { append, settle } = this.#interceptors.outgoing(request, isDelayed ? "delayed" : "emission", message);
      this.#intercepted.push({
        partition: append.partition,
        index: isDelayed ? undefined : this.#append.length,
        settle,
      });
      request = append;
    }
    if (isDelayed) {
      const unique = `${source}-${message.partition}-${message.offset}-${index}`;
      const dueMs = this.#nowMs + emission.delayMs;
      const entry = delayedEntry(request, dueMs, unique);
      this.#put.push(entry);
      this.#dues.set(entry.namespace, Math.min(dueMs, this.#dues.get(entry.namespace) ?? dueMs));
    } else {
      this.#append.push(request);
    }
  }

  #reply(address: ReplyAddress | undefined, reply: unknown): void {
    if (reply === noReply || reply === undefined || address === undefined) return;
    const { topic, partition, correlationId } = address;
    const partitions = this.#engine.topic(topic)?.partitions ?? 0;
    if (!Number.isInteger(partition) || partition < 0 || partition >= partitions) return;
    this.#append.push({ topic, partition, key: correlationId, value: Buffer.from(JSON.stringify(reply)) });
  }

  #checkPlace(topic: string, partition: number): void {
    const partitions = this.#engine.topic(topic)?.partitions;
    if (partitions === undefined) throw new QueueError("UNKNOWN_TOPIC", `emission to ${topic}, which nobody declared`);
    if (partition >= partitions) throw new QueueError("UNKNOWN_TOPIC", `emission to ${topic}/${partition}`);
  }
}

function checkWrite(write: EntryWrite): void {
  if (write.value === undefined) {
    throw new QueueError("INVALID_ARGUMENT", `state entry ${write.key} was written as undefined; null deletes`);
  }
  checkMs(`expiresAfterMs of state entry ${write.key}`, write.expiresAfterMs);
}
