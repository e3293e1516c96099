/**
 * The simulated world: time that moves only from event to event, one order of events for one seed, one trace.
 *
 *     after(ms) ──► event queue, ordered by (time, seeded tie-break) ──► run ──► all microtasks ──► next event
 *
 * What can go wrong:
 * - Promises that an event settles run on in microtasks. The next event waits for a whole turn of the real event loop
 *   (`setImmediate`), before which every microtask has run: about 2 µs an event.
 * - Something under test waits for real time, a real thread or real I/O: it would come in another order each time.
 *   The trace's hash tells; so does `unfinished`.
 * - An event throws, or a promise is rejected and nobody hears it: that is a violation like any other.
 */
import type { Random } from "./random.ts";
import { Trace } from "./trace.ts";

export interface Violation {
  /** The rule that was broken, a stable short name. */
  readonly rule: string;
  readonly detail: string;
  readonly atMs: number;
}

interface Event {
  readonly dueMs: number;
  readonly tie: number;
  readonly name: string;
  readonly run: () => void;
  isCancelled: boolean;
}

export class World {
  readonly random: Random;
  readonly trace: Trace;
  readonly #ties: Random;
  readonly #events: Event[] = [];
  #nowMs = 0;
  #count = 0;
  #violation: Violation | undefined;
  #isStopped = false;

  constructor(random: Random, traceMode: "hash" | "lines" = "hash") {
    this.random = random;
    this.trace = new Trace(traceMode);
    this.#ties = random.fork("ties");
  }

  /** Ms since the world began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that have run. */
  get steps(): number {
    return this.#count;
  }

  /** The first one; nothing runs after it. */
  get violation(): Violation | undefined {
    return this.#violation;
  }

  /** Returns how to cancel it. */
  after(ms: number, name: string, run: () => void): () => void {
    const event: Event = {
      dueMs: this.#nowMs + Math.max(0, ms),
      tie: this.#ties.bits(),
      name,
      run,
      isCancelled: false,
    };
    this.#push(event);
    return () => {
      event.isCancelled = true;
    };
  }

  sleep(ms: number, name = "sleep"): Promise<void> {
    return new Promise((resolve) => this.after(ms, name, resolve));
  }

  note(kind: string, detail: string): void {
    this.trace.note(this.#nowMs, kind, detail);
  }

  /** For who reads the trace. */
  remark(kind: string, detail: () => string): void {
    this.trace.remark(this.#nowMs, kind, detail);
  }

  /** Notes that a promise is broken; only the first one counts. */
  fail(rule: string, detail: string): void {
    if (this.#violation !== undefined) return;
    this.#violation = { rule, detail, atMs: this.#nowMs };
    this.note("VIOLATION", `${rule}: ${detail}`);
  }

  get hasStopped(): boolean {
    return this.#isStopped;
  }

  /** The current event is the last one. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Runs events until `stop`, a violation, `untilMs`, or until there is none left. */
  async run(untilMs = Number.POSITIVE_INFINITY): Promise<void> {
    const unheard = (error: unknown): void => this.fail("no promise is rejected unheard", textOf(error));
    process.on("unhandledRejection", unheard);
    process.on("uncaughtException", unheard);
    try {
      await this.#run(untilMs);
    } finally {
      process.off("unhandledRejection", unheard);
      process.off("uncaughtException", unheard);
    }
  }

  #run(untilMs: number): Promise<void> {
    return new Promise((resolve) => {
      const step = (): void => {
        const event = this.#isStopped || this.#violation !== undefined ? undefined : this.#pop();
        if (event === undefined || event.dueMs > untilMs) {
          if (event !== undefined) this.#push(event);
          resolve();
          return;
        }
        this.#nowMs = event.dueMs;
        this.#count++;
        this.note("event", event.name);
        try {
          event.run();
        } catch (error) {
          this.fail("no event throws", `${event.name}: ${textOf(error)}`);
        }
        setImmediate(step);
      };
      // Whatever the caller left in microtasks runs first.
      setImmediate(step);
    });
  }

  #push(event: Event): void {
    const heap = this.#events;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent] as Event)) break;
      heap[at] = heap[parent] as Event;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    for (;;) {
      const event = this.#popAny();
      if (event === undefined || !event.isCancelled) return event;
    }
  }

  #popAny(): Event | undefined {
    const heap = this.#events;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child++;
      if (!isBefore(heap[child] as Event, last)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.tie < b.tie);
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}
