/**
 * The other side of an engine over a port: the whole Engine port, in a thread that does not own the engine.
 *
 *     connecting ──greeting──► open ──close──► closing ──last answer──► closed
 *                                │
 *                                └──the port closes──► closed (`failed` resolves)
 *
 * What can go wrong:
 * - The owner goes while commits are under way: nobody can say whether they are stored. They end with CLOSED and the
 *   outcome `unknown`; a call that had not left this thread with `not_stored`.
 * - The owner's thread is busy: calls wait for it, without a limit here; leases run on in the owner's time.
 * - A time behind one that this side was told already (a commit's, say) would make an entry just written look as if
 *   it came from the future: every message brings the owner's time, and `now` is never below it.
 * - An argument that cannot be cloned: the call alone is refused with INVALID_ARGUMENT, its neighbours go.
 *
 * Promises: the contracts of engine.ts, with these differences in what is known when. `topic` and `topics` show a
 * topic no later than anything else that this side hears of the owner; `statistics` are those of the last message.
 * `now` is at most the owner's. Calls take effect in the order in which they are made here. `close` ends the
 * connection, never the engine, and leaves no handle.
 */
import type { MessagePort } from "node:worker_threads";
import type {
  Commit,
  CommitReceipt,
  Engine,
  EngineStatistics,
  Lease,
  LeaseHolder,
  Namespace,
  PartitionRange,
  PartitionRef,
  StateEntry,
  StoredMessage,
  TopicConfig,
} from "../../engine.ts";
import { QueueError } from "../../errors.ts";
import { AppendNotifier } from "../append-notifier.ts";
import { type Clock, processClock } from "../clock.ts";
import type { ReadLimits } from "../message-ring.ts";
import {
  type Call,
  type CallName,
  Freight,
  type Greeting,
  packCall,
  type Reply,
  type ToConnected,
  type ToOwner,
  unpackError,
  unpackResult,
  type Watch,
} from "./wire.ts";

/** Resolves with the engine that `serveEngine` serves at the other end; rejects with CLOSED where the port closes. */
export function connectEngine(
  port: MessagePort,
  options: { readonly clock?: Pick<Clock, "monotonicMs"> } = {},
): Promise<Engine> {
  return new Promise((resolve, reject) => {
    const closed = () => reject(new QueueError("CLOSED", "the port closed before an engine was served"));
    port.once("close", closed);
    port.once("message", (greeting: Greeting) => {
      port.off("close", closed);
      resolve(new ConnectedEngine(port, greeting, options.clock ?? processClock));
    });
  });
}

interface Waiting {
  readonly name: CallName;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Calls that store nothing, so that there is nothing to be unknown about. */
const readingCalls: ReadonlySet<CallName> = new Set([
  "read",
  "range",
  "committedOffset",
  "readState",
  "scanState",
  "countState",
  "leases",
  "members",
]);

class ConnectedEngine implements Engine {
  readonly name: Engine["name"];
  readonly failed: Promise<Error>;
  readonly #port: MessagePort;
  readonly #time: ReplicatedTime;
  readonly #notifier = new AppendNotifier();
  readonly #topics = new Map<string, TopicConfig>();
  readonly #waiting = new Map<number, Waiting>();
  /** Listeners here of each namespace; of appends under `undefined`. */
  readonly #listeners = new Map<Namespace | undefined, number>();
  #mode: "open" | "closing" | "closed" = "open";
  #statistics: EngineStatistics;
  #resolveFailed: (error: Error) => void = () => {};
  #nextId = 0;
  /** What this turn asks for. */
  #outbox: (Call | Watch)[] = [];
  #isFlushing = false;
  #whenIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(port: MessagePort, greeting: Greeting, clock: Pick<Clock, "monotonicMs">) {
    this.#port = port;
    this.name = greeting.name;
    this.#time = new ReplicatedTime(clock);
    this.#statistics = greeting.statistics;
    this.failed = new Promise((resolve) => {
      this.#resolveFailed = resolve;
    });
    this.#take(greeting);
    port.on("message", (message: ToConnected) => this.#take(message));
    port.on("messageerror", () => port.close());
    port.on("close", () => this.#onPortClosed());
  }

  now(): number {
    return this.#time.now();
  }

  topic(name: string): TopicConfig | undefined {
    return this.#topics.get(name);
  }

  topics(): readonly TopicConfig[] {
    return [...this.#topics.values()];
  }

  statistics(): EngineStatistics {
    return this.#statistics;
  }

  declareTopics(topics: readonly TopicConfig[]): Promise<void> {
    return this.#call("declareTopics", topics);
  }

  commit(commit: Commit): Promise<CommitReceipt> {
    return this.#call("commit", commit);
  }

  read(topic: string, partition: number, fromOffset: number, limits: ReadLimits): Promise<readonly StoredMessage[]> {
    return this.#call("read", topic, partition, fromOffset, limits);
  }

  range(topic: string, partition: number): Promise<PartitionRange> {
    return this.#call("range", topic, partition);
  }

  committedOffset(ref: PartitionRef): Promise<number> {
    return this.#call("committedOffset", ref);
  }

  readState(namespace: Namespace, keys: readonly string[]): Promise<readonly (Buffer | undefined)[]> {
    return this.#call("readState", namespace, keys);
  }

  scanState(
    namespace: Namespace,
    options: { readonly after?: string; readonly before?: string; readonly limit: number },
  ): Promise<readonly StateEntry[]> {
    return this.#call("scanState", namespace, options);
  }

  countState(namespace: Namespace): Promise<number> {
    return this.#call("countState", namespace);
  }

  acquireLease(ref: PartitionRef & { readonly member: string; readonly ttlMs: number }): Promise<Lease | undefined> {
    return this.#call("acquireLease", ref);
  }

  renewLease(lease: Lease, ttlMs: number): Promise<boolean> {
    return this.#call("renewLease", lease, ttlMs);
  }

  releaseLease(lease: Lease): Promise<void> {
    return this.#call("releaseLease", lease);
  }

  leases(group: string, topic: string): Promise<readonly LeaseHolder[]> {
    return this.#call("leases", group, topic);
  }

  heartbeat(group: string, member: string, ttlMs: number): Promise<void> {
    return this.#call("heartbeat", group, member, ttlMs);
  }

  members(group: string): Promise<readonly string[]> {
    return this.#call("members", group);
  }

  onAppend(listener: (topic: string, partition: number) => void): () => void {
    return this.#watch(undefined, this.#notifier.onAppend(listener));
  }

  onStateChange(namespace: Namespace, listener: () => void): () => void {
    return this.#watch(namespace, this.#notifier.onStateChange(namespace, listener));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#mode === "closed") return;
    this.#mode = "closing";
    if (this.#waiting.size > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
    }
    this.#mode = "closed";
    this.#notifier.clear();
    this.#port.close();
  }

  /** The types of the answer are those of the engine's method of that name. */
  #call<Name extends CallName>(name: Name, ...args: Parameters<Engine[Name]>): ReturnType<Engine[Name]> {
    const answer = new Promise<unknown>((resolve, reject) => {
      if (this.#mode !== "open") throw new QueueError("CLOSED");
      const id = this.#nextId++;
      this.#waiting.set(id, { name, resolve, reject });
      this.#send({ id, name, args });
    });
    return answer as ReturnType<Engine[Name]>;
  }

  /** Tells the owner of the first listener and of the last one's end; hands back how to end this one. */
  #watch(namespace: Namespace | undefined, stop: () => void): () => void {
    const what = namespace === undefined ? "appends" : { namespace };
    const count = this.#listeners.get(namespace) ?? 0;
    this.#listeners.set(namespace, count + 1);
    if (count === 0) this.#send({ kind: "watch", what });
    let isStopped = false;
    return () => {
      if (isStopped) return;
      isStopped = true;
      stop();
      const left = (this.#listeners.get(namespace) ?? 1) - 1;
      this.#listeners.set(namespace, left);
      if (left > 0) return;
      this.#listeners.delete(namespace);
      this.#send({ kind: "unwatch", what });
    };
  }

  #send(call: Call | Watch): void {
    if (this.#mode === "closed") return;
    this.#outbox.push(call);
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(() => {
      this.#isFlushing = false;
      const calls = this.#outbox;
      this.#outbox = [];
      if (this.#mode !== "closed") this.#post(calls);
    });
  }

  #post(calls: readonly (Call | Watch)[]): void {
    try {
      const freight = new Freight();
      const packed = calls.map((call) => ("kind" in call ? call : packCall(call, freight)));
      const message: ToOwner = { calls: packed, freight: freight.seal() };
      this.#port.postMessage(message, message.freight === undefined ? [] : [message.freight]);
    } catch (cause) {
      const [only, ...others] = calls;
      if (others.length > 0) for (const call of calls) this.#post([call]);
      else if (only !== undefined && !("kind" in only)) {
        const detail = `the arguments of ${only.name} cannot go to another thread`;
        this.#settle(only.id, new QueueError("INVALID_ARGUMENT", detail, { cause }));
      }
    }
  }

  #take(message: ToConnected): void {
    this.#time.told(message.nowMs, message.atMs);
    this.#statistics = message.statistics;
    for (const topic of message.topics) this.#topics.set(topic.name, topic);
    for (const [topic, partitions] of message.appended) {
      for (const partition of partitions) this.#notifier.appended(topic, partition);
    }
    for (const namespace of message.written) this.#notifier.written(namespace);
    for (const reply of message.replies) this.#answer(reply, message.freight);
    if (message.failed !== undefined) this.#resolveFailed(unpackError(message.failed));
  }

  #answer(reply: Reply, freight: ArrayBuffer | undefined): void {
    if ("error" in reply) {
      this.#settle(reply.id, unpackError(reply.error));
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    if (waiting !== undefined) waiting.resolve(unpackResult(waiting.name, reply.result, freight));
    this.#forget(reply.id);
  }

  #settle(id: number, error: Error): void {
    this.#waiting.get(id)?.reject(error);
    this.#forget(id);
  }

  #forget(id: number): void {
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#whenIdle?.();
  }

  #onPortClosed(): void {
    if (this.#mode === "closed") return;
    this.#mode = "closed";
    const notSent = new Set(this.#outbox.map((call) => ("id" in call ? call.id : undefined)));
    for (const [id, { name }] of [...this.#waiting]) {
      const outcome = notSent.has(id) || readingCalls.has(name) ? "not_stored" : "unknown";
      this.#settle(id, new QueueError("CLOSED", "the engine's thread is gone", { outcome }));
    }
    this.#notifier.clear();
    this.#resolveFailed(new QueueError("CLOSED", "the engine's thread is gone"));
  }
}

/** Engine time in this thread: what the owner told last, moved on by the clock that the threads share. */
class ReplicatedTime {
  readonly #clock: Pick<Clock, "monotonicMs">;
  #baseMs = Number.NEGATIVE_INFINITY;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Engine time at a reading of the clock. It was rounded down, so the highest base is the nearest to the truth. */
  told(nowMs: number, atMs: number): void {
    this.#baseMs = Math.max(this.#baseMs, nowMs - atMs);
    this.#lastMs = Math.max(this.#lastMs, nowMs);
  }

  now(): number {
    this.#lastMs = Math.max(this.#lastMs, Math.floor(this.#baseMs + this.#clock.monotonicMs()));
    return this.#lastMs;
  }
}
