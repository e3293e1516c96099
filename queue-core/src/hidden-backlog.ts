/**
 * How much a topic keeps that came in from outside and that nobody can read yet: delayed and half messages, at most
 * `maxMessages` and `maxBytes` of its backlog, besides what waits to be read.
 *
 * Contracts:
 * - A delayed or half message that does not fit is refused with OVERLOADED before anything of it is stored. The messages
 *   of one call stand or fall together; where nothing is kept yet, any one call is taken.
 * - What a stage emits with a delay counts here and is never refused.
 * - Plain publishes do not ask: a topic full of timers of its own takes what is to be read now.
 * - Bytes are exact for what this process let in since the last measure, and a sample's average for everything before.
 *
 * What can go wrong: these messages lie in memory until they are due or ended, and a bound on what can be read never
 * meets them. Counting them costs one call for each partition, so it is done as seldom as backpressure.ts measures: the
 * last measure and all that was let in since is the estimate; a refusal rests on a measure of the last 20 ms.
 */
import type { Namespace } from "./engine.ts";
import { QueueError } from "./errors.ts";
import { delayNamespace, halfNamespace, sendersNamespace } from "./namespaces.ts";
import type { QueueContext } from "./queue-context.ts";
import type { BacklogBounds } from "./topic.ts";

const rememberMs = 500;
const refuseByMs = 20;
const retryAfterMs = 1_000;
const sampled = 32;
/** Groups that send half messages to one topic. */
const mostSenders = 1_024;

interface BoundedTopic {
  readonly name: string;
  readonly partitions: number;
  readonly backlog: BacklogBounds;
}

interface Load {
  readonly messages: number;
  readonly bytes: number;
}

const nothing: Load = { messages: 0, bytes: 0 };

export class HiddenBacklog {
  readonly #context: QueueContext;
  readonly #topic: BoundedTopic;
  #measured: Load = nothing;
  #measuredAtMs = Number.NEGATIVE_INFINITY;
  /** Let in since the last measure began. */
  #since: Load = nothing;
  #inFlight: Load = nothing;
  #measuring: Promise<void> | undefined;

  constructor(context: QueueContext, topic: BoundedTopic) {
    this.#context = context;
    this.#topic = topic;
  }

  /** Rejects with OVERLOADED; otherwise `settled` must be called once they were stored or not. */
  async admit(load: Load): Promise<void> {
    const ageMs = this.#context.engine.now() - this.#measuredAtMs;
    if (ageMs > rememberMs || (ageMs > refuseByMs && !this.#fits(load))) await this.#measure();
    if (!this.#fits(load)) throw this.#refused();
    this.#since = sum(this.#since, load);
    this.#inFlight = sum(this.#inFlight, load);
  }

  settled({ messages, bytes }: Load): void {
    this.#inFlight = sum(this.#inFlight, { messages: -messages, bytes: -bytes });
  }

  #fits({ messages, bytes }: Load): boolean {
    const { maxMessages, maxBytes } = this.#topic.backlog;
    const kept = sum(this.#measured, this.#since);
    return kept.messages === 0 || (kept.messages + messages <= maxMessages && kept.bytes + bytes <= maxBytes);
  }

  #refused(): QueueError {
    const { messages, bytes } = sum(this.#measured, this.#since);
    const detail = `topic ${this.#topic.name} keeps ${messages} delayed and half messages with ${Math.round(bytes)} bytes`;
    return new QueueError("OVERLOADED", detail, { retryAfterMs });
  }

  /** One measure at a time; who comes meanwhile shares it. */
  #measure(): Promise<void> {
    this.#measuring ??= this.#measureNow().finally(() => {
      this.#measuring = undefined;
    });
    return this.#measuring;
  }

  async #measureNow(): Promise<void> {
    const { engine } = this.#context;
    // What is in flight may or may not be counted: counting it once more errs on the safe side.
    const inFlight = this.#inFlight;
    this.#since = nothing;
    const places = await this.#places();
    const counts = await Promise.all(places.map((namespace) => engine.countState(namespace)));
    const messages = counts.reduce((all, count) => all + count, 0);
    const fullest = places[counts.indexOf(Math.max(...counts))] as Namespace;
    const sample = messages === 0 ? [] : await engine.scanState(fullest, { limit: sampled });
    const averageBytes = sample.reduce((all, { value }) => all + value.length, 0) / Math.max(1, sample.length);
    this.#measured = sum({ messages, bytes: messages * averageBytes }, inFlight);
    this.#measuredAtMs = engine.now();
  }

  async #places(): Promise<readonly Namespace[]> {
    const { name, partitions } = this.#topic;
    const senders = await this.#context.engine.scanState(sendersNamespace(name), { limit: mostSenders });
    return [
      ...Array.from({ length: partitions }, (_, partition) => delayNamespace(name, partition)),
      ...senders.map(({ key: group }) => halfNamespace(group, name)),
    ];
  }
}

function sum(left: Load, right: Load): Load {
  return { messages: left.messages + right.messages, bytes: left.bytes + right.bytes };
}
