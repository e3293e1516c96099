/**
 * Request/reply: a requester leases one partition of the `replies` topic, reads it from its tail, and matches what
 * comes there with those who wait.
 *
 *   send ──► publish with replyTo ──► … ──► process commits a reply to that partition ──► settle
 *
 * Contracts:
 * - Each request settles once: with a reply, REPLY_TIMEOUT, the error of its publish, or CLOSED when the requester stops.
 * - REPLY_TIMEOUT and CLOSED say `unknown`: the request may yet be decided.
 * - A reply that comes late, again, or for somebody else settles nothing, and is counted.
 * - Requesters of all processes read partitions of their own.
 *
 * What can go wrong:
 * - A reply comes late, twice, or is meant for an earlier holder of the partition: it is dropped and counted. The
 *   correlation id begins with the requester's own id, which tells late from foreign.
 * - The lease is lost (the process slept): another partition is leased. What waited for the old one runs into its
 *   timeout, and the caller asks for the result instead.
 * - The publish fails: the reply is rejected with that very error, and nothing waits.
 * - A caller that looks at one of the two promises only must not bring the process down with the other: both count
 *   as handled.
 */
import { backoffMs } from "./backoff.ts";
import { untilBeatMs } from "./beat.ts";
import type { Lease, StoredMessage } from "./engine.ts";
import { QueueError } from "./errors.ts";
import { repliesGroup, repliesTopicName } from "./namespaces.ts";
import { PendingReplies } from "./pending-replies.ts";
import type { Publisher } from "./publish.ts";
import type { PublishOptions, PublishReceipt, Requester } from "./queue.ts";
import { isEngineEnd, type QueueContext } from "./queue-context.ts";
import type { Topic } from "./topic.ts";
import { Waker } from "./waker.ts";

export const replyPartitions = 256;
/** Some 200 ms of replies at 40,000/s with room for a stall of a second. */
export const replyRingMessages = 65_536;

const readLimits = { maxMessages: 4_096, maxBytes: 8 * 1024 * 1024 };
const backoffRange = { firstMs: 10, longestMs: 2_000 };

const ignore = (): void => undefined;

export class ReplyRequester implements Requester {
  readonly #context: QueueContext;
  readonly #publisher: Publisher;
  readonly #id: string;
  readonly #pending: PendingReplies;
  readonly #waker: Waker;
  readonly #onStop: () => void;
  #lease: Lease | undefined;
  #position = 0;
  #unsubscribe = ignore;
  #cancelRenewal = ignore;
  #sent = 0;
  #late = 0;
  #foreign = 0;
  #mode: "open" | "stopped" = "open";
  #running: Promise<void> | undefined;

  constructor(context: QueueContext, publisher: Publisher, id: string, onStop: () => void) {
    this.#context = context;
    this.#publisher = publisher;
    this.#id = id;
    this.#onStop = onStop;
    this.#waker = new Waker(context.timers);
    this.#pending = new PendingReplies(
      context.timers,
      () => context.engine.now(),
      (pending) => {
        pending.reject(new QueueError("REPLY_TIMEOUT"));
      },
    );
  }

  async open(): Promise<void> {
    await this.#leasePartition();
    this.#running = this.#run();
    this.#renewLater();
  }

  get address(): { readonly topic: string; readonly partition: number } {
    return { topic: repliesTopicName, partition: this.#held().partition };
  }

  send<T, R>(
    topic: Topic<T>,
    value: T,
    options: { timeoutMs: number } & Omit<PublishOptions, "replyTo">,
  ): { readonly published: Promise<PublishReceipt>; readonly reply: Promise<R> } {
    const lease = this.#lease;
    if (this.#mode === "stopped" || lease === undefined) {
      return refused(new QueueError("CLOSED", "the requester is stopped"));
    }
    const { timeoutMs, ...publishOptions } = options;
    if (!Number.isFinite(timeoutMs)) {
      return refused(new QueueError("INVALID_ARGUMENT", `timeoutMs is ${timeoutMs}; it must be a finite number of ms`));
    }
    const correlationId = `${this.#id}.${this.#sent++}`;
    const reply = new Promise<R>((resolve, reject) => {
      this.#pending.add({ correlationId, resolve: resolve as (value: unknown) => void, reject }, timeoutMs);
    });
    reply.catch(ignore);
    const replyTo = { topic: repliesTopicName, partition: lease.partition, correlationId };
    const published = this.#publisher.publish(topic, value, { ...publishOptions, replyTo });
    published.catch((error: unknown) => this.#pending.take(correlationId)?.reject(error));
    return { published, reply };
  }

  statistics(): { readonly waiting: number; readonly late: number; readonly foreign: number } {
    return { waiting: this.#pending.size, late: this.#late, foreign: this.#foreign };
  }

  async stop(): Promise<void> {
    if (this.#mode === "stopped") return;
    this.#mode = "stopped";
    this.#unsubscribe();
    this.#cancelRenewal();
    this.#waker.wake();
    const closed = new QueueError("CLOSED", "the requester stopped before a reply came", { outcome: "unknown" });
    for (const pending of this.#pending.takeAll()) pending.reject(closed);
    await this.#running;
    try {
      if (this.#lease !== undefined) await this.#context.engine.releaseLease(this.#lease);
    } catch (error) {
      if (!isEngineEnd(error)) this.#context.report("requester", error);
    }
    this.#onStop();
  }

  #held(): Lease {
    if (this.#lease === undefined) throw new QueueError("CLOSED", "the requester is not open");
    return this.#lease;
  }

  /** Begins at a random partition, so that many gateways which start together seldom meet. */
  async #leasePartition(): Promise<void> {
    const { engine, random, leaseMs, appends } = this.#context;
    const first = Math.floor(random() * replyPartitions);
    for (let step = 0; step < replyPartitions; step++) {
      const partition = (first + step) % replyPartitions;
      const place = { group: repliesGroup, topic: repliesTopicName, partition };
      const lease = await engine.acquireLease({ ...place, member: this.#id, ttlMs: leaseMs });
      if (lease === undefined) continue;
      this.#position = (await engine.range(repliesTopicName, partition)).end;
      this.#unsubscribe();
      this.#unsubscribe = this.#mode === "stopped" ? ignore : appends.on(repliesTopicName, partition, this.#waker.wake);
      this.#lease = lease;
      return;
    }
    throw new QueueError("OVERLOADED", `all ${replyPartitions} reply partitions are taken`, { retryAfterMs: leaseMs });
  }

  #renewLater(): void {
    const { engine, timers, leaseMs } = this.#context;
    if (this.#mode === "stopped") return;
    this.#cancelRenewal = timers.after(untilBeatMs(engine.now(), leaseMs / 3), () => {
      this.#renew()
        .catch((error: unknown) => {
          if (!isEngineEnd(error)) this.#context.report("lease of a reply partition", error);
        })
        .finally(() => this.#renewLater());
    });
  }

  async #renew(): Promise<void> {
    const kept = await this.#context.engine.renewLease(this.#held(), this.#context.leaseMs);
    if (kept || this.#mode === "stopped") return;
    await this.#leasePartition();
    this.#waker.wake();
  }

  async #run(): Promise<void> {
    const { engine, random } = this.#context;
    let failures = 0;
    while (this.#mode === "open") {
      try {
        const { partition } = this.#held();
        const replies = await engine.read(repliesTopicName, partition, this.#position, readLimits);
        failures = 0;
        if (partition !== this.#held().partition) continue;
        const last = replies[replies.length - 1];
        if (last === undefined) {
          await this.#waker.wait();
          continue;
        }
        this.#position = last.offset + 1;
        for (const reply of replies) this.#settle(reply);
      } catch (error) {
        if (isEngineEnd(error)) return;
        this.#context.report("replies", error);
        await this.#waker.sleep(backoffMs(++failures, backoffRange, random), () => this.#mode !== "open");
      }
    }
  }

  #settle(reply: StoredMessage): void {
    const pending = this.#pending.take(reply.key);
    if (pending === undefined) {
      if (reply.key.startsWith(`${this.#id}.`)) this.#late++;
      else this.#foreign++;
      return;
    }
    try {
      pending.resolve(JSON.parse(reply.value.toString("utf8")));
    } catch (error) {
      pending.reject(new QueueError("CORRUPT", "the reply is not JSON", { cause: error, outcome: "stored" }));
    }
  }
}

/** Nothing was published, and nothing waits. */
function refused(error: QueueError): { readonly published: Promise<never>; readonly reply: Promise<never> } {
  const rejected = Promise.reject(error);
  rejected.catch(ignore);
  return { published: rejected, reply: rejected };
}
