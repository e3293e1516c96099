/**
 * `consume`: at least once, for work with outside effects. One sliding window per owned partition:
 *
 *   read ahead ──► lines by key ──► up to `concurrency` running batches ──► outcomes ──► head moves ──► commit
 *
 * Contracts:
 * - Every message is given to the group's handler until it is `done`, dead, or its deadline is over.
 * - Messages of one key run one after another, in order; a retry holds back its key and nothing else that lies within
 *   `windowMessages` and `windowBytes` of the first message that is not through.
 * - The committed offset never passes a message that is not through; a dead letter is stored with or before it.
 * - A retry waits 100 ms, 200 ms … up to 30 s, less a random half; `pause` 200 ms … up to 10 s, and spends no attempt.
 * - Work whose deadline is over is not begun, at the first delivery or at a later one.
 * - `stop` takes nothing new, lets handlers finish within the grace, stores what they did, and aborts the others.
 *
 * What can go wrong:
 * - The member dies with work done but not committed: the next owner does it again. Handlers are idempotent.
 * - A message fails: it is tried again after a backoff, its key waits behind it, other keys go on. A later message
 *   of that key which ran in the same batch is delivered again after it, whatever its outcome was.
 * - The partition moves, or its member dies: attempts, backoff and history of errors are in memory alone, and begin
 *   anew with the next owner. To count what was never answered, each first delivery would have to be stored before it
 *   is made. So a message that kills its process is delivered after every start, and never dead-lettered.
 * - A message fails for ever: after `maxAttempts` deliveries by one owner it goes to the dead letters, in the commit that moves
 *   the offset past it.
 * - A dependency is down: `pause` rests the whole partition and spends no attempt.
 * - A head that waits long would let the window grow without bound: reading stops at `windowMessages` and at
 *   `windowBytes`, and other keys wait then too, until the head moves.
 * - A handler ignores its abort signal, or `startOffset` never answers: what comes after the grace is ignored.
 */
import { backoffMs } from "./backoff.ts";
import { deadLetterEntry, type ErrorHistory, isForAnotherGroup, reportDeadLetter } from "./dead-letters.ts";
import { delivered, type Item, isDue, itemOf, noteFailure } from "./delivery.ts";
import type { Lease, PartitionRef, StoredMessage } from "./engine.ts";
import { QueueError } from "./errors.ts";
import type { MemberCounters } from "./group-member.ts";
import { HeadCommitter } from "./head-committer.ts";
import type { PartitionWork } from "./membership.ts";
import { checkOutcomes, isList } from "./outcomes.ts";
import { type ConsumeOptions, done, type Outcome } from "./queue.ts";
import { describe, isEngineEnd, type QueueContext } from "./queue-context.ts";
import { type Entry, type Line, SlidingWindow } from "./sliding-window.ts";
import { unlessAborted } from "./unless-aborted.ts";
import { Waker } from "./waker.ts";

const defaultMaxAttempts = 16;
const lingerPerMessageMs = 20;
const maxReadBytes = 4 * 1024 * 1024;
const defaultWindow = { messages: 1_024, bytes: 32 * 1024 * 1024 };
const retryRange = { firstMs: 100, longestMs: 30_000 };
const pauseRange = { firstMs: 200, longestMs: 10_000 };
const engineRange = { firstMs: 10, longestMs: 2_000 };

export class PartitionConsumer<T> implements PartitionWork {
  readonly #context: QueueContext;
  readonly #options: ConsumeOptions<T>;
  readonly #ref: PartitionRef;
  readonly #counters: MemberCounters;
  readonly #maxBatch: number;
  readonly #concurrency: number;
  readonly #windowMessages: number;
  readonly #windowBytes: number;
  readonly #waker: Waker;
  readonly #committer: HeadCommitter;
  readonly #abort = new AbortController();
  readonly #timers = new Set<() => void>();
  #mode: "running" | "stopping" | "killed" = "running";
  #window = new SlidingWindow<Item<T>>(0);
  #running = 0;
  /** The loop that reads. */
  #hasEnded = false;
  /** Ends the wait of `stop`. */
  #endWait: (() => void) | undefined;
  #isPaused = false;
  /** `waiting`: for a fuller batch; `over`: it has waited, the next batch goes as it is. */
  #linger: "none" | "waiting" | "over" = "none";
  #lastBatch = 0;
  #pauses = 0;

  constructor(
    context: QueueContext,
    options: ConsumeOptions<T>,
    lease: Lease,
    counters: MemberCounters,
    lost: () => void,
  ) {
    const { group, topic, partition } = lease;
    this.#context = context;
    this.#options = options;
    this.#ref = { group, topic, partition };
    this.#counters = counters;
    this.#maxBatch = options.maxBatch ?? 1;
    this.#concurrency = options.concurrency ?? 1;
    const rounds = 4 * this.#maxBatch * this.#concurrency;
    this.#windowMessages = options.windowMessages ?? Math.max(defaultWindow.messages, rounds);
    this.#windowBytes = options.windowBytes ?? defaultWindow.bytes;
    this.#waker = new Waker(context.timers);
    this.#committer = new HeadCommitter(
      context,
      lease,
      () => this.#window.head,
      (why) => {
        this.kill();
        if (why === "fenced") lost();
      },
    );
    const unsubscribe = context.appends.on(topic, partition, this.#waker.wake);
    void this.#run().finally(() => {
      unsubscribe();
      this.#hasEnded = true;
      this.#endWaitIfIdle();
    });
  }

  async stop(graceMs: number): Promise<void> {
    if (this.#mode === "running") this.#mode = "stopping";
    this.#committer.stopping();
    this.#waker.wake();
    if (this.#mode === "stopping") await this.#idleWithin(graceMs);
    await this.#committer.commit();
    this.kill();
  }

  #idleWithin(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#context.timers.after(graceMs, resolve);
      this.#endWait = () => {
        cancel();
        resolve();
      };
      this.#endWaitIfIdle();
    });
  }

  kill(): void {
    this.#mode = "killed";
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#abort.abort();
    this.#endWait?.();
    this.#waker.wake();
    this.#committer.end();
  }

  /** Once neither the loop nor a handler runs any more. */
  #endWaitIfIdle(): void {
    if (this.#running === 0 && this.#hasEnded) this.#endWait?.();
  }

  async #run(): Promise<void> {
    let position: number | undefined;
    let failures = 0;
    while (this.#mode === "running") {
      try {
        position ??= await this.#takeOver();
        const read = this.#wantsMore() ? await this.#readAhead(position) : [];
        failures = 0;
        if (read.length === 0) {
          await this.#waker.wait();
          continue;
        }
        for (const stored of read) {
          this.#add(stored);
          position = stored.offset + 1;
        }
        this.#dispatch();
        void this.#committer.commit();
      } catch (error) {
        if (isEngineEnd(error)) this.kill();
        if (this.#mode !== "running") return;
        this.#report(error);
        await this.#waker.sleep(
          backoffMs(++failures, engineRange, this.#context.random),
          () => this.#mode !== "running",
        );
      }
    }
  }

  async #takeOver(): Promise<number> {
    const committed = await this.#context.engine.committedOffset(this.#ref);
    this.#committer.startAt(committed);
    const own = this.#options.startOffset?.(this.#ref.partition);
    const start = own === undefined ? committed : await unlessAborted(own, this.#abort.signal);
    if (!Number.isSafeInteger(start) || start < 0) {
      throw new QueueError("INVALID_ARGUMENT", `startOffset gave ${start}; offsets are integers from 0 on`);
    }
    const { end } = await this.#context.engine.range(this.#ref.topic, this.#ref.partition);
    if (start > end)
      throw new QueueError(
        "INVALID_ARGUMENT",
        `startOffset gave ${start}, beyond the end ${end}: another log's offset`,
      );
    this.#window = new SlidingWindow(start);
    this.#context.interceptors?.takeOver(this.#ref, start);
    // The last owner may have died between its own transaction and this commit, and no message may come any more.
    void this.#committer.commit();
    return start;
  }

  /**
   * One batch ahead of each that runs. Beyond that only held lines make the window grow: what is read early is kept
   * long, and costs the garbage collector (8 groups with 8 partitions each: 130 MB).
   */
  #wantsMore(): boolean {
    const { size, bytes, takeable } = this.#window;
    if (size >= this.#windowMessages || bytes >= this.#windowBytes) return false;
    return takeable < this.#maxBatch * this.#concurrency;
  }

  #readAhead(position: number): Promise<readonly StoredMessage[]> {
    const maxMessages = Math.min(Math.max(256, this.#maxBatch), this.#windowMessages - this.#window.size);
    const maxBytes = Math.min(maxReadBytes, this.#windowBytes - this.#window.bytes);
    const { topic, partition } = this.#ref;
    return this.#context.engine.read(topic, partition, position, { maxMessages, maxBytes });
  }

  #add(stored: StoredMessage): void {
    this.#context.interceptors?.receive(stored, this.#ref.group);
    if (isForAnotherGroup(stored.headers, this.#ref.group)) {
      this.#window.addAcknowledged(stored.offset);
      return;
    }
    try {
      const value = this.#options.topic.codec.decode(stored.value);
      // A group that keeps its own offset knows one number a partition: nothing may overtake there.
      const line = this.#options.startOffset === undefined ? stored.key : "";
      this.#window.add(stored.offset, line, itemOf(stored, value), stored.value.length);
    } catch (error) {
      const reason = `the message cannot be decoded: ${describe(error)}`;
      this.#bury(stored, { attempt: 1, reason, history: [{ atMs: this.#context.engine.now(), error: reason }] });
      this.#window.addAcknowledged(stored.offset);
    }
  }

  #dispatch(): void {
    while (this.#mode === "running" && !this.#isPaused && this.#running < this.#concurrency) {
      if (this.#waitsForMore()) return;
      const batch = this.#window.take(this.#maxBatch);
      if (batch.length === 0) return;
      this.#running++;
      this.#lastBatch = batch.length;
      this.#runBatch(batch).catch((error: unknown) => this.#report(error));
    }
  }

  /** True while a batch that is not full should wait for more; starts that wait. */
  #waitsForMore(): boolean {
    const { takeable } = this.#window;
    const { lingerMs: leastMs = 0, lingerMaxMs = leastMs } = this.#options;
    const lingerMs = Math.max(leastMs, Math.min(lingerMaxMs, this.#lastBatch * lingerPerMessageMs));
    if (lingerMs === 0 || takeable === 0 || takeable >= this.#maxBatch) return false;
    if (this.#linger === "over") {
      this.#linger = "none";
      return false;
    }
    if (this.#linger === "none") {
      this.#linger = "waiting";
      this.#after(lingerMs, () => {
        this.#linger = "over";
        this.#dispatch();
      });
    }
    return true;
  }

  async #runBatch(batch: readonly Entry<Item<T>>[]): Promise<void> {
    const nowMs = this.#context.engine.now();
    const due = batch.every(({ item }) => isDue(item, nowMs)) ? batch : batch.filter(({ item }) => isDue(item, nowMs));
    const outcomes = await (due.length === 0 ? [] : this.#handle(due));
    this.#running--;
    if (this.#mode !== "killed") {
      if (due === batch && !isList(outcomes) && outcomes.kind === "done") this.#settleAllDone(batch);
      else this.#settle(batch, due, outcomes);
      void this.#committer.commit();
      this.#dispatch();
      this.#waker.wake();
    }
    this.#endWaitIfIdle();
  }

  /** One outcome for each message, or one for all. */
  async #handle(due: readonly Entry<Item<T>>[]): Promise<readonly Outcome[] | Outcome> {
    const messages = due.map(({ item }) => delivered(item));
    this.#counters.batches++;
    try {
      const outcome = await this.#options.handle(messages, this.#abort.signal);
      checkOutcomes(outcome, due.length);
      return outcome;
    } catch (error) {
      return { kind: "retry", error };
    }
  }

  /** What `settle` would do, without its bookkeeping: by far the most batches end so. */
  #settleAllDone(batch: readonly Entry<Item<T>>[]): void {
    this.#counters.handled += batch.length;
    for (const entry of batch) this.#window.acknowledge(entry);
    for (const { line } of batch) if (line.state === "running") this.#window.release(line);
    this.#pauses = 0;
  }

  /** Applies the outcomes, in offset order; a message behind one of its key that stays stays too. */
  #settle(
    batch: readonly Entry<Item<T>>[],
    due: readonly Entry<Item<T>>[],
    outcomes: readonly Outcome[] | Outcome,
  ): void {
    const waits = new Map<Line<Item<T>>, number>();
    let pauseMs: number | undefined;
    let position = 0;
    for (const entry of batch) {
      const isExpired = due[position] !== entry;
      const outcome = isExpired ? done : isList(outcomes) ? (outcomes[position] as Outcome) : outcomes;
      if (!isExpired) position++;
      if (waits.has(entry.line)) {
        if (!isExpired) entry.item.deliveries--;
        continue;
      }
      if (isExpired) this.#counters.expired++;
      else if (outcome.kind === "done") this.#counters.handled++;
      if (outcome.kind === "pause") {
        entry.item.deliveries--;
        waits.set(entry.line, 0);
        const ms = outcome.afterMs ?? backoffMs(this.#pauses + 1, pauseRange, this.#context.random);
        pauseMs = Math.max(pauseMs ?? 0, ms);
        continue;
      }
      const waitMs = this.#settleOne(entry, outcome);
      if (waitMs === undefined) this.#window.acknowledge(entry);
      else waits.set(entry.line, waitMs);
    }
    for (const line of new Set(batch.map((entry) => entry.line))) this.#releaseAfter(line, waits.get(line) ?? 0);
    if (pauseMs === undefined) this.#pauses = 0;
    else this.#pause(pauseMs);
  }

  /** Undefined: no more work; else the ms until it is tried again. */
  #settleOne({ item }: Entry<Item<T>>, outcome: Outcome): number | undefined {
    if (outcome.kind === "done") return undefined;
    const nowMs = this.#context.engine.now();
    if (outcome.kind === "dead") {
      const reason = describe(outcome.reason);
      const history = [...item.history, { atMs: nowMs, error: reason }];
      this.#bury(item.stored, { attempt: item.deliveries, reason, history });
      return undefined;
    }
    const error = outcome.kind === "retry" ? outcome.error : `no such outcome: ${describe(outcome)}`;
    const text = error === undefined ? "the handler asked for a retry" : describe(error);
    noteFailure(item, nowMs, text);
    const maxAttempts = this.#options.maxAttempts ?? defaultMaxAttempts;
    if (item.deliveries >= maxAttempts) {
      const reason = `gave up after ${item.deliveries} attempts: ${text}`;
      this.#bury(item.stored, { attempt: item.deliveries, reason, history: item.history });
      return undefined;
    }
    this.#counters.retried++;
    const asked = outcome.kind === "retry" ? outcome.afterMs : undefined;
    return asked ?? backoffMs(item.deliveries, retryRange, this.#context.random);
  }

  #releaseAfter(line: Line<Item<T>>, waitMs: number): void {
    if (waitMs <= 0) {
      this.#window.release(line);
      return;
    }
    this.#window.hold(line);
    this.#after(waitMs, () => {
      this.#window.release(line);
      this.#dispatch();
    });
  }

  #pause(ms: number): void {
    this.#pauses++;
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#after(ms, () => {
      this.#isPaused = false;
      this.#dispatch();
    });
  }

  #after(ms: number, run: () => void): void {
    const cancel = this.#context.timers.after(ms, () => {
      this.#timers.delete(cancel);
      run();
    });
    this.#timers.add(cancel);
  }

  #bury(stored: StoredMessage, death: { attempt: number; reason: string; history: ErrorHistory }): void {
    this.#committer.add(deadLetterEntry(this.#ref.group, stored, stored.value, death));
    this.#counters.deadLettered++;
    reportDeadLetter(this.#context, this.#ref.group, stored, death.reason);
  }

  #report(error: unknown): void {
    const { group, topic, partition } = this.#ref;
    this.#context.report(`consume ${group} on ${topic}/${partition}`, error);
  }
}
