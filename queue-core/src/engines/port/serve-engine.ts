/**
 * The owner's side of an engine over a port: calls come in, answers and news go out, those of one turn together.
 *
 * What can go wrong:
 * - The other thread dies in the middle of its calls: what it asked for goes on, nobody is answered, and its leases
 *   run out as those of a process that was killed.
 * - An answer that overtakes news: whoever awaited a commit would not have been told of its messages yet. News of a
 *   turn stand before the answers of that turn.
 * - News in every turn of a busy owner cost it more than the answers (measured: 40 µs of each purchase of a burst, when
 *   a message left with every batch of the log): where no answer is due, news go at once after a pause, and else
 *   gather for `newsEveryMs`.
 * - A topic declared here that the other side does not know: whatever it is told next begins with the new topics.
 *
 * Promises: calls reach the engine in the order in which they were made; the engine stays as it is when the
 * connection ends, from whichever side.
 */
import type { MessagePort } from "node:worker_threads";
import type { Engine } from "../../engine.ts";
import { type Clock, processClock } from "../clock.ts";
import {
  type Call,
  Freight,
  type Greeting,
  type PackedError,
  packError,
  packResult,
  type Reply,
  type ToConnected,
  type ToOwner,
  unpackArgs,
  type Watch,
  type Watched,
} from "./wire.ts";

const newsEveryMs = 10;

/** An engine that is being served to the other end of a port. */
export interface ServedEngine {
  /** Ends the connection. Answers that are ready still leave; calls under way end with CLOSED over there. */
  close(): void;
}

/** Serves the engine to whoever calls `connectEngine` with the other end of the port's channel. */
export function serveEngine(
  engine: Engine,
  port: MessagePort,
  options: { readonly clock?: Pick<Clock, "monotonicMs"> } = {},
): ServedEngine {
  const serving = new Serving(engine, port, options.clock ?? processClock);
  return { close: () => serving.close() };
}

type EngineMethod = (...args: unknown[]) => Promise<unknown>;

class Serving {
  readonly #engine: Engine;
  readonly #port: MessagePort;
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** How to end what the other side asked to be told of; by namespace, appends under none. */
  readonly #watched = new Map<string | undefined, () => void>();
  #isOpen = true;
  #isFlushing = false;
  #newsTimer: NodeJS.Timeout | undefined;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #topicsTold = 0;
  #replies: Reply[] = [];
  #freight = new Freight();
  #appended = new Map<string, Set<number>>();
  #written = new Set<string>();
  #failed: PackedError | undefined;

  constructor(engine: Engine, port: MessagePort, clock: Pick<Clock, "monotonicMs">) {
    this.#engine = engine;
    this.#port = port;
    this.#clock = clock;
    port.on("message", (message: ToOwner) => this.#take(message));
    port.on("messageerror", () => port.close());
    port.on("close", () => this.#end());
    port.postMessage({ ...this.#message(), name: engine.name } satisfies Greeting);
    void engine.failed.then((error) => {
      this.#failed = packError(error);
      this.#flushSoon();
    });
  }

  close(): void {
    if (this.#isOpen) this.#flush();
    this.#port.close();
    this.#end();
  }

  #end(): void {
    this.#isOpen = false;
    clearTimeout(this.#newsTimer);
    for (const stop of this.#watched.values()) stop();
    this.#watched.clear();
  }

  #take({ calls, freight }: ToOwner): void {
    for (const call of calls) {
      if ("kind" in call) this.#watch(call);
      else void this.#serve(call, freight);
    }
  }

  /** Calls the engine at once: the order of the calls is the order of their effects. */
  async #serve(call: Call, freight: ArrayBuffer | undefined): Promise<void> {
    try {
      const method = this.#engine[call.name] as EngineMethod;
      const result = await method.apply(this.#engine, [...unpackArgs(call, freight)]);
      if (this.#isOpen) this.#replies.push({ id: call.id, result: packResult(call.name, result, this.#freight) });
    } catch (error) {
      this.#replies.push({ id: call.id, error: packError(error) });
    }
    this.#flushSoon();
  }

  #watch({ kind, what }: Watch): void {
    const key = what === "appends" ? undefined : what.namespace;
    if (kind === "unwatch") {
      this.#watched.get(key)?.();
      this.#watched.delete(key);
    } else if (this.#isOpen && !this.#watched.has(key)) {
      this.#watched.set(key, this.#tellOf(what));
    }
  }

  #tellOf(what: Watched): () => void {
    if (what !== "appends") {
      return this.#engine.onStateChange(what.namespace, () => {
        this.#written.add(what.namespace);
        this.#newsSoon();
      });
    }
    return this.#engine.onAppend((topic, partition) => {
      const partitions = this.#appended.get(topic);
      if (partitions === undefined) this.#appended.set(topic, new Set([partition]));
      else partitions.add(partition);
      this.#newsSoon();
    });
  }

  #newsSoon(): void {
    if (this.#isFlushing || this.#newsTimer !== undefined) return;
    const waitMs = this.#sentAtMs + newsEveryMs - this.#clock.monotonicMs();
    if (waitMs <= 0) this.#flushSoon();
    else this.#newsTimer = setTimeout(() => this.#flushSoon(), waitMs);
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(() => {
      this.#isFlushing = false;
      if (this.#isOpen) this.#flush();
    });
  }

  #flush(): void {
    clearTimeout(this.#newsTimer);
    this.#newsTimer = undefined;
    this.#sentAtMs = this.#clock.monotonicMs();
    const message = this.#message();
    this.#port.postMessage(message, message.freight === undefined ? [] : [message.freight]);
  }

  #message(): ToConnected {
    const topics = this.#engine.topics();
    const message: ToConnected = {
      nowMs: this.#engine.now(),
      atMs: this.#clock.monotonicMs(),
      statistics: this.#engine.statistics(),
      topics: topics.slice(this.#topicsTold),
      failed: this.#failed,
      appended: this.#appended,
      written: this.#written,
      replies: this.#replies,
      freight: this.#freight.seal(),
    };
    this.#topicsTold = topics.length;
    this.#replies = [];
    this.#freight = new Freight();
    this.#appended = new Map();
    this.#written = new Set();
    return message;
  }
}
