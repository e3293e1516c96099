/**
 * One call after the other: what waits while a call is under way goes together in the next one.
 *
 *     push ─► waiting ─► a call, at most 256 messages and entries ─► settled, in order
 *                           │  no answer: the same call again under the same number, on a new connection
 *                           │  NOSCRIPT: again, with the script and a look whether this is the same server
 *                           │  OOM: again, without the publishes from outside, which are refused
 *                           └─ no answer within the deadline: `unknown`; never sent: `not_stored`
 *
 * What can go wrong: the order of the calls, where two are under way and the first fails. Promise: there is one
 * under way at a time, and everything that has to keep an order comes through here: commits, leases, members, topics.
 */
import { QueueError } from "../../errors.ts";
import { CallWriter } from "./call-writer.ts";
import { describeFault } from "./connection.ts";
import type { DataIdentity } from "./data-identity.ts";
import type { Flights } from "./flights.ts";
import { type Link, NoAnswer, type RedisClient } from "./link.ts";
import type { CallReply, Operation } from "./operations.ts";
import type { RedisTime } from "./redis-time.ts";
import { draining, type Script, strict } from "./script.ts";

/** 256 messages take Redis 1.3 ms, 3,000 take it 23 ms, in which it serves nobody else. */
const callWeight = 512;
const callBytes = 4 * 1024 * 1024;
const retryPauseMs = 20;
/** How often it is looked whether this is still the same server. */
const verifyEveryMs = 1_000;

export interface CallLaneParts {
  readonly link: Link;
  readonly flights: Flights;
  readonly meta: string;
  readonly identity: DataIdentity;
  readonly time: RedisTime;
  /** How long an operation may be on its way. */
  readonly deadlineMs: number;
  /** How long a connection may be silent before another is tried. */
  readonly silenceMs: number;
  /** Nothing can be stored any more. */
  readonly onFailed: (error: QueueError) => void;
}

export class CallLane {
  readonly #parts: CallLaneParts;
  readonly #head = new CallWriter();
  readonly #body = new CallWriter();
  #waiting: Operation[] = [];
  #running: Promise<void> | undefined;
  #number = 0;
  #verifiedGeneration = -1;
  #verifiedMs = 0;
  #end: QueueError | undefined;
  /** When the engine closes, nothing is waited for longer than until then. */
  #lastMs = Number.POSITIVE_INFINITY;
  /** Calls that were answered. */
  calls = 0;
  /** Those of them that stored something. */
  stored = 0;
  /** Live entries of state, as of the last call. */
  entries = 0;

  constructor(parts: CallLaneParts) {
    this.#parts = parts;
  }

  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  push<Pushed extends Operation>(operation: Pushed): Pushed {
    if (this.#end !== undefined) {
      operation.reject(this.#end);
      return operation;
    }
    this.#waiting.push(operation);
    this.#running ??= this.#run();
    return operation;
  }

  /** Everything from now on, and what waits, is refused with it. */
  end(error: QueueError): void {
    this.#end ??= error;
    for (const operation of this.#waiting.splice(0)) operation.reject(error);
  }

  /** What waits or is under way is given up when it is not done by then. */
  hurry(withinMs: number): void {
    this.#lastMs = performance.now() + withinMs;
  }

  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const land = await this.#parts.flights.board();
      const batch = this.#take();
      try {
        if (batch.length > 0) await this.#call(batch);
      } catch (error) {
        for (const operation of batch) operation.reject(this.#failure(error));
      } finally {
        land();
      }
    }
    this.#running = undefined;
  }

  #take(): Operation[] {
    let weight = 0;
    let bytes = 0;
    let length = 0;
    for (const operation of this.#waiting) {
      weight += operation.weight;
      bytes += operation.bytes;
      if (length > 0 && (weight > callWeight || bytes > callBytes)) break;
      length++;
    }
    return this.#waiting.splice(0, length);
  }

  async #call(batch: readonly Operation[]): Promise<void> {
    const { link, deadlineMs } = this.#parts;
    const endMs = performance.now() + deadlineMs;
    let operations = batch;
    let body = this.#write(operations);
    const number = ++this.#number;
    let script = scriptFor(operations);
    let isLoaded = true;
    let wasSent = false;
    for (;;) {
      const client = await link.up(Math.min(endMs, this.#lastMs) - performance.now());
      if (client === undefined || performance.now() >= Math.min(endMs, this.#lastMs)) {
        this.#unreachable(operations, wasSent);
        return;
      }
      try {
        const reply = await this.#send(client, script, isLoaded, number, body);
        this.#settle(operations, reply);
        return;
      } catch (error) {
        const next = whatNext(error);
        if (next === "load") isLoaded = false;
        else if (next === "drain") {
          operations = this.#refuseEntries(operations);
          if (operations.length === 0) return;
          body = this.#write(operations);
          script = draining;
        } else if (next === "resend") {
          wasSent ||= error instanceof NoAnswer && error.wasSent;
        } else if (next === "wait") {
          await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
        } else if (next === "elsewhere") {
          link.giveUp(client, describeFault(error));
        } else {
          throw error;
        }
      }
    }
  }

  #write(operations: readonly Operation[]): Buffer {
    const out = this.#body;
    out.reset();
    out.array(operations.length);
    for (const operation of operations) operation.write(out);
    out.array(out.places.length);
    for (const { topic, partition, ring } of out.places) {
      out.array(3);
      out.text(topic);
      out.number(partition);
      out.number(ring);
    }
    out.array(out.namespaces.length);
    for (const namespace of out.namespaces) out.text(namespace);
    return out.copy();
  }

  async #send(client: RedisClient, script: Script, isLoaded: boolean, number: number, body: Buffer) {
    const { link, meta, identity, time, silenceMs } = this.#parts;
    const { generation } = link;
    const nowMs = performance.now();
    const isStale = generation !== this.#verifiedGeneration || nowMs - this.#verifiedMs > verifyEveryMs;
    const verify = !isLoaded || isStale;
    const head = this.#head;
    head.reset();
    head.array(9);
    head.text(identity.client);
    head.number(number);
    head.text(identity.incarnation);
    head.number(identity.seen);
    head.number(identity.fork);
    if (time.given === false) head.none();
    else head.number(time.given);
    const request = Buffer.concat([head.copy(), body]);
    const [command, code] = isLoaded ? ["EVALSHA", script.sha] : ["EVAL", script.source];
    const reply = await link.send(client, command, [code, 1, meta, request, verify ? "verify" : ""], silenceMs);
    if (verify) {
      this.#verifiedGeneration = generation;
      this.#verifiedMs = nowMs;
    }
    return reply;
  }

  #settle(operations: readonly Operation[], reply: unknown): void {
    this.calls++;
    const told = this.#parts.identity.read(reply);
    this.#parts.time.told(told);
    this.entries = told.entries;
    if (told.nextSequence > told.firstSequence) this.stored++;
    const context: CallReply = {
      timeMs: told.timeMs,
      nextSequence: told.firstSequence,
      nextOffsets: [...told.ends],
    };
    for (const [index, operation] of operations.entries()) {
      operation.settle(told.results === 0 ? 0 : told.results[index], context);
    }
  }

  #refuseEntries(operations: readonly Operation[]): Operation[] {
    const detail = "Redis is at its maxmemory; what drains it goes on";
    for (const operation of operations) {
      if (operation.isEntry) operation.reject(new QueueError("STORAGE_FULL", detail, { retryAfterMs: 500 }));
    }
    return operations.filter(({ isEntry }) => !isEntry);
  }

  /** What Redis refused for a reason of its own. */
  #failure(error: unknown): QueueError {
    if (error instanceof QueueError) return error;
    const detail = `Redis refused a call: ${describeFault(error)}`;
    const code = codeOf(error);
    if (code === "MISCONF") return new QueueError("STORAGE_FULL", detail, { retryAfterMs: 500 });
    if (code === "NOPERM" || code === "NOAUTH") return new QueueError("UNREACHABLE", detail);
    const failure = new QueueError("STORAGE_FAILED", detail);
    this.#parts.onFailed(failure);
    return failure;
  }

  #unreachable(operations: readonly Operation[], wasSent: boolean): void {
    const detail = `Redis cannot be reached: ${this.#parts.link.fault}`;
    const outcome = wasSent ? "unknown" : "not_stored";
    for (const operation of operations) operation.reject(new QueueError("UNREACHABLE", detail, { outcome }));
    // Those behind were never sent; each would wait as long again.
    for (const operation of this.#waiting.splice(0)) operation.reject(new QueueError("UNREACHABLE", detail));
  }
}

const scriptFor = (operations: readonly Operation[]): Script =>
  operations.some(({ isEntry }) => isEntry) ? strict : draining;

/** What Redis refused before it did anything; see https://redis.io/docs/latest/develop/reference/protocol-spec/. */
function whatNext(error: unknown): "load" | "drain" | "resend" | "wait" | "elsewhere" | "fail" {
  if (error instanceof NoAnswer) return "resend";
  const code = codeOf(error);
  if (code === "NOSCRIPT") return "load";
  if (code === "OOM") return "drain";
  if (code === "LOADING" || code === "BUSY" || code === "TRYAGAIN" || code === "CLUSTERDOWN") return "wait";
  if (code === "READONLY" || code === "MASTERDOWN" || code === "MOVED") return "elsewhere";
  return "fail";
}

function codeOf(error: unknown): string | undefined {
  return /^[A-Z]+/.exec(error instanceof Error ? error.message : "")?.[0];
}
