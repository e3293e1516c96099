/**
 * Delayed messages: state entries of the partition they will go to, moved there when due.
 *
 * Contracts:
 * - A delayed message comes once, not before it is due, and then as soon as any instance runs; in the order of due
 *   times within a partition.
 * - It keeps its key, its headers and its deadline, and counts for the backlog of what can be read from when it comes
 *   due; until then for that of what cannot (hidden-backlog.ts).
 *
 * What can go wrong:
 * - Two instances move the same message: each move expects the entry to be present and deletes it, so one wins.
 * - An instance dies in between: the move is one commit, so the entry is still there for the next one.
 * - A loop that asks every few ms costs processor time for nothing: this one sleeps until the earliest due time
 *   that it knows. Whoever stores a delayed message knows when it is due, and its own scheduler is told so without a
 *   look; what others stored is looked for at most four times a second, in case they die. (Each commit of the stock
 *   stage stores some: with a look after each, every process asked Redis 200 times a second.)
 * - An entry that can never be moved would be tried for ever: it goes to the dead letters of "$delay".
 */
import { backoffMs } from "./backoff.ts";
import { deadLetterEntry } from "./dead-letters.ts";
import type { AppendRequest, MessageHeaders, StateEntry, StateWrite } from "./engine.ts";
import { QueueError } from "./errors.ts";
import { delayGroup, delayNamespace, timeKey } from "./namespaces.ts";
import { packMessage, unpackMessage } from "./packed-message.ts";
import { describe, hasCode, isEngineEnd, type QueueContext } from "./queue-context.ts";
import { Waker } from "./waker.ts";

interface DelayedHead {
  readonly key: string;
  readonly headers?: MessageHeaders;
}

/** Entries moved by one commit. */
const moveBatch = 256;
/** How long what others stored may go unseen: they see to it themselves, unless they die. */
const unseenMs = 250;
/** After another instance was faster. */
const stepBackMs = 5;
const backoffRange = { firstMs: 100, longestMs: 5_000 };

/** The entry to put; `unique` tells it apart from others due in the same ms. */
export function delayedEntry(message: AppendRequest, dueMs: number, unique: string): StateWrite {
  const head: DelayedHead =
    message.headers === undefined ? { key: message.key } : { key: message.key, headers: message.headers };
  return {
    namespace: delayNamespace(message.topic, message.partition),
    key: `${timeKey(dueMs)}-${unique}`,
    value: packMessage(head, message.value),
  };
}

/** Tells a process's own scheduler of what the same process has just stored. */
export class DelayedHere {
  #hear: (namespace: string, dueMs: number) => void = () => undefined;

  hearBy(hear: (namespace: string, dueMs: number) => void): void {
    this.#hear = hear;
  }

  stored(namespace: string, dueMs: number): void {
    this.#hear(namespace, dueMs);
  }
}

interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly namespace: string;
}

export class DelayScheduler {
  readonly #context: QueueContext;
  readonly #waker: Waker;
  readonly #unsubscribe: (() => void)[] = [];
  readonly #places = new Map<string, Place>();
  readonly #dirty = new Set<Place>();
  /** When those are looked at. */
  #lookAtMs = Number.NEGATIVE_INFINITY;
  /** The earliest due time of each place that has any, ms since epoch. */
  readonly #due = new Map<Place, number>();
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(context: QueueContext) {
    this.#context = context;
    this.#waker = new Waker(context.timers);
    context.delayed.hearBy((namespace, dueMs) => this.#stored(namespace, dueMs));
  }

  /** Watches a topic's partitions, beginning with what lies there already. */
  watch(topic: string, partitions: number): void {
    for (let partition = 0; partition < partitions; partition++) {
      const place: Place = { topic, partition, namespace: delayNamespace(topic, partition) };
      this.#unsubscribe.push(
        this.#context.engine.onStateChange(place.namespace, () => {
          if (this.#dirty.size === 0) {
            this.#lookAtMs = this.#context.engine.now() + unseenMs;
            this.#waker.wake();
          }
          this.#dirty.add(place);
        }),
      );
      this.#places.set(place.namespace, place);
      this.#dirty.add(place);
    }
    this.#waker.wake();
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.#waker.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { engine, random } = this.#context;
    let failures = 0;
    while (!this.#stopped) {
      try {
        if (engine.now() >= this.#lookAtMs) await this.#lookAtDirty();
        const wasFirst = await this.#moveAllDue();
        failures = 0;
        // Let the faster one's commit become visible, instead of meeting it again and again.
        if (!wasFirst) await this.#waker.sleep(stepBackMs * (1 + random()), () => this.#stopped);
        if (this.#stopped) return;
        const next = Math.min(...this.#due.values(), this.#dirty.size > 0 ? this.#lookAtMs : Number.POSITIVE_INFINITY);
        await this.#waker.wait(Number.isFinite(next) ? Math.max(0, next - engine.now()) : undefined);
      } catch (error) {
        if (isEngineEnd(error)) return;
        this.#context.report("delayed messages", error);
        await this.#waker.sleep(backoffMs(++failures, backoffRange, random), () => this.#stopped);
      }
    }
  }

  #stored(namespace: string, dueMs: number): void {
    const place = this.#places.get(namespace);
    if (place === undefined || dueMs >= (this.#due.get(place) ?? Number.POSITIVE_INFINITY)) return;
    this.#due.set(place, dueMs);
    this.#waker.wake();
  }

  async #lookAtDirty(): Promise<void> {
    for (const place of [...this.#dirty]) {
      if (this.#stopped) return;
      this.#dirty.delete(place);
      try {
        await this.#lookAt(place);
      } catch (error) {
        this.#dirty.add(place);
        throw error;
      }
    }
  }

  async #lookAt(place: Place): Promise<void> {
    const [first] = await this.#context.engine.scanState(place.namespace, { limit: 1 });
    if (first === undefined) this.#due.delete(place);
    else this.#due.set(place, dueOf(first));
  }

  /** False where another instance was faster. */
  async #moveAllDue(): Promise<boolean> {
    let wasFirst = true;
    for (const [place, dueMs] of [...this.#due]) {
      if (this.#stopped) break;
      if (dueMs > this.#context.engine.now()) continue;
      if (!(await this.#moveDue(place))) wasFirst = false;
      await this.#lookAt(place);
    }
    return wasFirst;
  }

  /** What is due beyond one batch is met in the next round. False where another instance was faster. */
  async #moveDue(place: Place): Promise<boolean> {
    const { engine } = this.#context;
    const before = timeKey(Math.floor(engine.now()) + 1);
    const due = await engine.scanState(place.namespace, { before, limit: moveBatch });
    if (due.length === 0) return true;
    try {
      await this.#move(place, due);
      return true;
    } catch (error) {
      if (isEngineEnd(error) || (error instanceof QueueError && error.retryable)) throw error;
    }
    // Another instance was faster with some, or one of them cannot be moved: tell them apart.
    let wasFirst = true;
    for (const entry of due) if (!(await this.#moveAlone(place, entry))) wasFirst = false;
    return wasFirst;
  }

  async #move(place: Place, entries: readonly StateEntry[]): Promise<void> {
    const { namespace, topic, partition } = place;
    await this.#context.engine.commit({
      expect: entries.map(({ key }) => ({ namespace, key, is: "present" as const })),
      put: entries.map(({ key }) => ({ namespace, key, value: null })),
      append: entries.map((entry) => {
        const { head, value } = unpackMessage<DelayedHead>(entry.value);
        return { topic, partition, value, ...head };
      }),
    });
  }

  /** False where another instance was faster. */
  async #moveAlone(place: Place, entry: StateEntry): Promise<boolean> {
    const { namespace, topic } = place;
    try {
      await this.#move(place, [entry]);
      return true;
    } catch (error) {
      if (hasCode(error, "CONFLICT")) return false;
      if (isEngineEnd(error) || (error instanceof QueueError && error.retryable)) throw error;
      const reason = `cannot be moved when due: ${describe(error)}`;
      this.#context.report(`delayed message ${entry.key} of ${topic} goes to the dead letters of "$delay"`, error);
      await this.#context.engine.commit({
        expect: [{ namespace, key: entry.key, is: "present" }],
        put: [{ namespace, key: entry.key, value: null }, this.#deadLetter(place, entry, reason)],
      });
      return true;
    }
  }

  #deadLetter({ topic, partition }: Place, entry: StateEntry, reason: string): StateWrite {
    const atMs = this.#context.engine.now();
    const { head, value } = unpackOrWhole(entry.value);
    const message = { topic, partition, offset: -1, timestampMs: atMs, key: head.key, headers: head.headers ?? {} };
    const death = { attempt: 0, reason, history: [{ atMs, error: reason }], id: entry.key };
    return deadLetterEntry(delayGroup, message, value, death);
  }
}

/** An entry that is damaged is kept as it is. */
function unpackOrWhole(packed: Buffer): { readonly head: DelayedHead; readonly value: Buffer } {
  try {
    return unpackMessage<DelayedHead>(packed);
  } catch {
    return { head: { key: "" }, value: packed };
  }
}

function dueOf(entry: StateEntry): number {
  return Number(entry.key.slice(0, 15));
}
