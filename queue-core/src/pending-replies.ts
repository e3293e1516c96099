/**
 * Requests that wait for their reply, and their timeouts.
 *
 * What can go wrong: a timer per request is a heap of timers at 40,000 requests/s. Requests with the same timeout
 * end in the order in which they came, so each timeout has one lane (a linked list) and one timer, set to its
 * oldest request. A request leaves its lane once, when it is settled; nothing settles twice.
 */
import type { Timers } from "./timers.ts";

export interface PendingReply {
  readonly correlationId: string;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

interface Waiting {
  readonly pending: PendingReply;
  readonly lane: Lane;
  readonly dueMs: number;
  previous: Waiting | undefined;
  next: Waiting | undefined;
}

interface Lane {
  readonly timeoutMs: number;
  oldest: Waiting | undefined;
  newest: Waiting | undefined;
  cancel: (() => void) | undefined;
}

export class PendingReplies {
  readonly #timers: Timers;
  readonly #now: () => number;
  readonly #onTimeout: (pending: PendingReply) => void;
  readonly #waiting = new Map<string, Waiting>();
  readonly #lanes = new Map<number, Lane>();

  constructor(timers: Timers, now: () => number, onTimeout: (pending: PendingReply) => void) {
    this.#timers = timers;
    this.#now = now;
    this.#onTimeout = onTimeout;
  }

  get size(): number {
    return this.#waiting.size;
  }

  add(pending: PendingReply, timeoutMs: number): void {
    let lane = this.#lanes.get(timeoutMs);
    if (lane === undefined) {
      lane = { timeoutMs, oldest: undefined, newest: undefined, cancel: undefined };
      this.#lanes.set(timeoutMs, lane);
    }
    const dueMs = this.#now() + timeoutMs;
    const waiting: Waiting = { pending, lane, dueMs, previous: lane.newest, next: undefined };
    if (lane.newest === undefined) lane.oldest = waiting;
    else lane.newest.next = waiting;
    lane.newest = waiting;
    this.#waiting.set(pending.correlationId, waiting);
    if (lane.cancel === undefined) this.#arm(lane, timeoutMs);
  }

  /** The request, which waits no longer; undefined when it does not wait (any more). */
  take(correlationId: string): PendingReply | undefined {
    const waiting = this.#waiting.get(correlationId);
    if (waiting === undefined) return undefined;
    this.#remove(waiting);
    return waiting.pending;
  }

  /** Takes all and cancels every timer. */
  takeAll(): PendingReply[] {
    const all = [...this.#waiting.values()].map((waiting) => waiting.pending);
    this.#waiting.clear();
    for (const lane of this.#lanes.values()) lane.cancel?.();
    this.#lanes.clear();
    return all;
  }

  #remove(waiting: Waiting): void {
    const { lane, previous, next } = waiting;
    this.#waiting.delete(waiting.pending.correlationId);
    if (previous === undefined) lane.oldest = next;
    else previous.next = next;
    if (next === undefined) lane.newest = previous;
    else next.previous = previous;
  }

  /** The timer is left to run when its request was answered: it then moves on to the oldest that still waits. */
  #arm(lane: Lane, ms: number): void {
    lane.cancel = this.#timers.after(ms, () => {
      lane.cancel = undefined;
      const nowMs = this.#now();
      while (lane.oldest !== undefined && lane.oldest.dueMs <= nowMs) {
        const late = lane.oldest;
        this.#remove(late);
        this.#onTimeout(late.pending);
      }
      if (lane.oldest !== undefined) this.#arm(lane, Math.max(1, lane.oldest.dueMs - nowMs));
      else this.#lanes.delete(lane.timeoutMs);
    });
  }
}
