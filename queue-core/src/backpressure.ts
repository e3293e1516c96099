/**
 * How much room a topic has for entry publishes: at most `maxMessages` and `maxBytes` between the end of the topic
 * and the slowest group that reads it.
 *
 * What can go wrong: measuring for each publish would cost more than the publish, and a stale measure would let
 * too many in or keep refusing when there is room. So the last measure plus everything admitted since is the
 * estimate (never too low for this process), and nobody is refused but by a measure taken after the last drain.
 * Messages of other processes are seen with the next measure, at most `rememberMs` late. Bytes are estimated by the
 * average size of what was published here. Only entry publishes pass here: what a group emits is never refused,
 * or a full topic downstream would stop the stage that drains the one above.
 */
import { QueueError } from "./errors.ts";
import { groupsOf } from "./group-registry.ts";
import type { QueueContext } from "./queue-context.ts";

/** A measure older than this is renewed, beside the publish that finds it old. */
const rememberMs = 500;
/** A refusal rests on a measure no older than this. */
const refuseByMs = 20;
const retryRange = { shortestMs: 50, longestMs: 30_000, unknownMs: 1_000 };

interface BoundedTopic {
  readonly name: string;
  readonly partitions: number;
  readonly backlog: { readonly maxMessages: number; readonly maxBytes: number };
}

export class TopicBacklog {
  readonly #context: QueueContext;
  readonly #topic: BoundedTopic;
  #measured = 0;
  #measuredAtMs = Number.NEGATIVE_INFINITY;
  #advancesAtMeasure = -1;
  #admitted = 0;
  #admittedAtMeasure = 0;
  #inFlight = 0;
  #averageBytes = 0;
  #measuring: Promise<void> | undefined;
  #drained = 0;
  #drainedAtMs = Number.NaN;
  #drainPerMs = 0;

  constructor(context: QueueContext, topic: BoundedTopic) {
    this.#context = context;
    this.#topic = topic;
  }

  /**
   * Undefined: admitted, and `settled` must be called once the publish ended. A promise: the estimate has to be
   * measured anew first; it resolves when admitted. Throws or rejects with OVERLOADED.
   */
  admit(bytes: number): Promise<void> | undefined {
    this.#averageBytes = this.#averageBytes === 0 ? bytes : this.#averageBytes + (bytes - this.#averageBytes) * 0.01;
    const nowMs = this.#context.engine.now();
    const ageMs = nowMs - this.#measuredAtMs;
    const wasMeasured = this.#advancesAtMeasure >= 0;
    if (wasMeasured && this.#hasRoom()) {
      this.#count();
      if (ageMs > rememberMs || (ageMs > refuseByMs && this.#estimate() * 2 > this.#topic.backlog.maxMessages)) {
        this.#measure().catch((error: unknown) => this.#context.report(`backlog of ${this.#topic.name}`, error));
      }
      return undefined;
    }
    if (wasMeasured && ageMs <= refuseByMs && this.#advancesAtMeasure === this.#context.advances.count)
      throw this.#refusal();
    return this.#measure().then(() => {
      if (!this.#hasRoom()) throw this.#refusal();
      this.#count();
    });
  }

  settled(): void {
    this.#inFlight--;
  }

  #estimate(): number {
    return this.#measured + this.#admitted - this.#admittedAtMeasure;
  }

  #hasRoom(): boolean {
    const { maxMessages, maxBytes } = this.#topic.backlog;
    const messages = this.#estimate() + 1;
    return messages <= maxMessages && (messages === 1 || messages * this.#averageBytes <= maxBytes);
  }

  #count(): void {
    this.#admitted++;
    this.#inFlight++;
  }

  #refusal(): QueueError {
    const { maxMessages, maxBytes } = this.#topic.backlog;
    const room = Math.min(maxMessages, maxBytes / Math.max(1, this.#averageBytes));
    // Long enough that a twentieth of the backlog is gone, lest the refused all come back for one free place.
    const toDrain = Math.max(this.#estimate() + 1 - room, room / 20);
    const waitMs = this.#drainPerMs === 0 ? retryRange.unknownMs : toDrain / this.#drainPerMs;
    return new QueueError("OVERLOADED", `topic ${this.#topic.name} has a backlog of ${this.#estimate()} messages`, {
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
    const inFlight = this.#inFlight;
    const admitted = this.#admitted;
    const advancesBefore = advances.count;
    const groups = await groupsOf(engine, name);
    const numbers = Array.from({ length: partitions }, (_, partition) => partition);
    const ranges = await Promise.all(numbers.map((partition) => engine.range(name, partition)));
    // With no group yet, all that can be read waits for one.
    let slowest = groups.length === 0 ? ranges.reduce((sum, range) => sum + range.end - range.start, 0) : 0;
    let drained = 0;
    for (const group of groups) {
      const offsets = await Promise.all(
        numbers.map((partition) => engine.committedOffset({ group, topic: name, partition })),
      );
      let lag = 0;
      for (const [partition, range] of ranges.entries()) {
        lag += Math.max(0, range.end - Math.max(offsets[partition] ?? 0, range.start));
        drained += offsets[partition] ?? 0;
      }
      slowest = Math.max(slowest, lag);
    }
    // What was in flight may or may not be in the ranges: counting it once more errs on the safe side.
    this.#measured = slowest + inFlight;
    this.#admittedAtMeasure = admitted;
    this.#advancesAtMeasure = advancesBefore;
    this.#measuredAtMs = engine.now();
    this.#noteDrain(drained / Math.max(1, groups.length));
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
