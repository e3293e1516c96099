/**
 * How much room a topic has for entry publishes: at most `maxMessages` and `maxBytes` between the end of the topic
 * and the slowest group that reads it.
 *
 *   open ──a publish does not fit (high mark)──► refusing ──backlog at `lowMark` of both bounds──► open
 *
 * Contracts:
 * - What does not fit is refused with OVERLOADED before anything is stored. An empty backlog takes any one message.
 * - Between the two marks nobody gets in, so that a full topic does not flap at its edge: the refused are told when
 *   the low mark should be reached.
 * - Bytes are exact for what this process published, whatever the mix of sizes, up to the part of a run that is
 *   already consumed (size-ledger.ts); what others stored is estimated by a sample of it.
 * - Only entry publishes pass here: what a group emits is never refused, or a full topic downstream would stop the
 *   stage that drains the one above.
 *
 * What can go wrong: measuring for each publish would cost more than the publish, and a stale measure would let
 * too many in or keep refusing when there is room. So the last measure plus everything admitted since is the
 * estimate (never too low for this process), and nobody is refused but by a measure taken after the last drain.
 * Messages of other processes are seen with the next measure, at most `rememberMs` late; so is their draining.
 */
import { QueueError } from "./errors.ts";
import { groupsOf } from "./group-registry.ts";
import type { QueueContext } from "./queue-context.ts";
import { SizeLedger } from "./size-ledger.ts";
import type { BacklogBounds } from "./topic.ts";

/** A measure older than this is renewed, beside the publish that finds it old. */
const rememberMs = 500;
/** A refusal rests on a measure no older than this. */
const refuseByMs = 20;
const retryRange = { shortestMs: 50, longestMs: 30_000, unknownMs: 1_000 };
const sample = { everyMs: 500, maxMessages: 32, maxBytes: 256 * 1024 };
const mostRuns = 4_096;

interface BoundedTopic {
  readonly name: string;
  readonly partitions: number;
  readonly backlog: BacklogBounds;
}

interface Load {
  readonly messages: number;
  readonly bytes: number;
}

/** What one group has still to read in a partition. */
interface Waiting {
  readonly partition: number;
  readonly from: number;
  readonly end: number;
}

export class TopicBacklog {
  readonly #context: QueueContext;
  readonly #topic: BoundedTopic;
  readonly #low: Load;
  readonly #ledgers: readonly SizeLedger[];
  #mode: "open" | "refusing" = "open";
  #measured: Load = { messages: 0, bytes: 0 };
  #measuredAtMs = Number.NEGATIVE_INFINITY;
  #advancesAtMeasure = -1;
  // Plain numbers: they change with each publish.
  #admittedMessages = 0;
  #admittedBytes = 0;
  #inFlightMessages = 0;
  #inFlightBytes = 0;
  /** What had been admitted when the last measure began. */
  #admittedAtMeasure: Load = { messages: 0, bytes: 0 };
  #measuring: Promise<void> | undefined;
  #foreignBytes = 0;
  #sampledAtMs = Number.NEGATIVE_INFINITY;
  #drained = 0;
  #drainedAtMs = Number.NaN;
  #drainPerMs = 0;

  constructor(context: QueueContext, topic: BoundedTopic) {
    const { maxMessages, maxBytes, lowMark } = topic.backlog;
    this.#context = context;
    this.#topic = topic;
    this.#low = { messages: maxMessages * lowMark, bytes: maxBytes * lowMark };
    const runs = Math.min(mostRuns, 256 * topic.partitions);
    const limits = { runBytes: maxBytes / runs, runMessages: Math.ceil(maxMessages / runs) };
    this.#ledgers = Array.from({ length: topic.partitions }, () => new SizeLedger(limits));
  }

  /**
   * Undefined: admitted, and `settled` must be called once the publish ended. A promise: the estimate has to be
   * measured anew first; it resolves when admitted. Throws or rejects with OVERLOADED.
   */
  admit(bytes: number): Promise<void> | undefined {
    const ageMs = this.#context.engine.now() - this.#measuredAtMs;
    const wasMeasured = this.#advancesAtMeasure >= 0;
    if (wasMeasured && this.#mode === "open" && this.#fits(bytes)) {
      this.#count(bytes);
      if (ageMs > rememberMs || (ageMs > refuseByMs && this.#isHalfFull())) {
        this.#measure().catch((error: unknown) => this.#context.report(`backlog of ${this.#topic.name}`, error));
      }
      return undefined;
    }
    if (wasMeasured && ageMs <= refuseByMs && this.#advancesAtMeasure === this.#context.advances.count) {
      throw this.#refused();
    }
    return this.#measure().then(() => {
      if (this.#mode === "refusing" || !this.#fits(bytes)) throw this.#refused();
      this.#count(bytes);
    });
  }

  /** An admitted message of so many bytes was stored, where it has an offset, or not. */
  settled(bytes: number, partition: number, offset: number | undefined): void {
    this.#inFlightMessages--;
    this.#inFlightBytes -= bytes;
    if (offset !== undefined) this.#ledgers[partition]?.add(offset, bytes);
  }

  /** An admitted message of so many bytes takes no room here after all. */
  giveBack(bytes: number): void {
    this.#admittedMessages--;
    this.#admittedBytes -= bytes;
    this.#inFlightMessages--;
    this.#inFlightBytes -= bytes;
  }

  #estimate(): Load {
    return {
      messages: this.#measured.messages + this.#admittedMessages - this.#admittedAtMeasure.messages,
      bytes: this.#measured.bytes + this.#admittedBytes - this.#admittedAtMeasure.bytes,
    };
  }

  #fits(bytes: number): boolean {
    const { maxMessages, maxBytes } = this.#topic.backlog;
    const waiting = this.#estimate();
    if (waiting.messages === 0) return true;
    return waiting.messages + 1 <= maxMessages && waiting.bytes + bytes <= maxBytes;
  }

  #isHalfFull(): boolean {
    const { maxMessages, maxBytes } = this.#topic.backlog;
    const { messages, bytes } = this.#estimate();
    return messages * 2 > maxMessages || bytes * 2 > maxBytes;
  }

  #isLow(): boolean {
    const { messages, bytes } = this.#estimate();
    return messages <= this.#low.messages && bytes <= this.#low.bytes;
  }

  #count(bytes: number): void {
    this.#admittedMessages++;
    this.#admittedBytes += bytes;
    this.#inFlightMessages++;
    this.#inFlightBytes += bytes;
  }

  /** The refusal. A message too large for what is left of a backlog below the low mark is refused alone. */
  #refused(): QueueError {
    if (!this.#isLow()) this.#mode = "refusing";
    const { messages, bytes } = this.#estimate();
    const averageBytes = bytes / Math.max(1, messages);
    const overLow = Math.max(messages - this.#low.messages, (bytes - this.#low.bytes) / Math.max(1, averageBytes));
    // At least a twentieth of the backlog, lest the refused all come back for one free place.
    const toDrain = Math.max(overLow, messages / 20, 1);
    const waitMs = this.#drainPerMs === 0 ? retryRange.unknownMs : toDrain / this.#drainPerMs;
    const detail = `topic ${this.#topic.name} has a backlog of ${messages} messages with ${Math.round(bytes)} bytes`;
    return new QueueError("OVERLOADED", detail, {
      retryAfterMs: Math.ceil(Math.min(retryRange.longestMs, Math.max(retryRange.shortestMs, waitMs))),
    });
  }

  /** One measure at a time; who comes meanwhile shares it. */
  #measure(): Promise<void> {
    this.#measuring ??= this.#measureNow().finally(() => {
      this.#measuring = undefined;
    });
    return this.#measuring;
  }

  async #measureNow(): Promise<void> {
    const { engine, advances } = this.#context;
    const { name, partitions } = this.#topic;
    const inFlight: Load = { messages: this.#inFlightMessages, bytes: this.#inFlightBytes };
    const admitted: Load = { messages: this.#admittedMessages, bytes: this.#admittedBytes };
    const advancesBefore = advances.count;
    const groups = await groupsOf(engine, name);
    const numbers = Array.from({ length: partitions }, (_, partition) => partition);
    const ranges = await Promise.all(numbers.map((partition) => engine.range(name, partition)));
    const waitingOf = (offsets: readonly number[]): Waiting[] =>
      ranges.map(({ start, end }, partition) => ({ partition, from: Math.max(offsets[partition] ?? 0, start), end }));
    // With no group yet, all that can be read waits for one.
    const waiting = groups.length === 0 ? [waitingOf([])] : [];
    let drained = 0;
    for (const group of groups) {
      const offsets = await Promise.all(
        numbers.map((partition) => engine.committedOffset({ group, topic: name, partition })),
      );
      for (const offset of offsets) drained += offset;
      waiting.push(waitingOf(offsets));
    }
    await this.#sampleForeign(waiting);
    const slowest = this.#slowest(waiting);
    // What was in flight may or may not be in the ranges: counting it once more errs on the safe side.
    this.#measured = { messages: slowest.messages + inFlight.messages, bytes: slowest.bytes + inFlight.bytes };
    this.#admittedAtMeasure = admitted;
    this.#advancesAtMeasure = advancesBefore;
    this.#measuredAtMs = engine.now();
    if (this.#isLow()) this.#mode = "open";
    this.#noteDrain(drained / Math.max(1, groups.length));
  }

  #slowest(waiting: readonly (readonly Waiting[])[]): Load {
    let messages = 0;
    let bytes = 0;
    for (const ofGroup of waiting) {
      let lag = 0;
      let lagBytes = 0;
      for (const { partition, from, end } of ofGroup) {
        const own = this.#own(partition, from);
        lag += Math.max(0, end - from);
        lagBytes += own.bytes + Math.max(0, end - from - own.messages) * this.#foreignBytes;
      }
      messages = Math.max(messages, lag);
      bytes = Math.max(bytes, lagBytes);
    }
    for (const [partition, ledger] of this.#ledgers.entries()) {
      ledger.forgetBefore(Math.min(...waiting.map((ofGroup) => ofGroup[partition]?.from ?? 0)));
    }
    return { messages, bytes };
  }

  #own(partition: number, from: number): Load {
    return this.#ledgers[partition]?.from(from) ?? { messages: 0, bytes: 0 };
  }

  /** Looks how large the messages are that others stored, where most of them wait. */
  async #sampleForeign(waiting: readonly (readonly Waiting[])[]): Promise<void> {
    const { engine, random } = this.#context;
    if (engine.now() - this.#sampledAtMs < sample.everyMs) return;
    let most: Waiting | undefined;
    let mostForeign = 0;
    for (const place of waiting.flat()) {
      const foreign = place.end - place.from - this.#own(place.partition, place.from).messages;
      if (foreign <= mostForeign) continue;
      most = place;
      mostForeign = foreign;
    }
    if (most === undefined) return;
    this.#sampledAtMs = engine.now();
    const { partition, from, end } = most;
    const at = Math.max(from, Math.floor(from + random() * (end - from)) - sample.maxMessages);
    const found = await engine.read(this.#topic.name, partition, at, sample);
    const bytes = found.reduce((sum, message) => sum + message.value.length, 0) / Math.max(1, found.length);
    this.#foreignBytes = this.#foreignBytes === 0 ? bytes : (this.#foreignBytes + bytes) / 2;
  }

  #noteDrain(drained: number): void {
    const nowMs = this.#measuredAtMs;
    const sinceMs = nowMs - this.#drainedAtMs;
    if (sinceMs < 100) return;
    if (Number.isFinite(sinceMs)) {
      const perMs = Math.max(0, drained - this.#drained) / sinceMs;
      this.#drainPerMs = this.#drainPerMs === 0 ? perMs : this.#drainPerMs * 0.7 + perMs * 0.3;
    }
    this.#drained = drained;
    this.#drainedAtMs = nowMs;
  }
}
