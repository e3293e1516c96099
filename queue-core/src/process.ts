/**
 * `process`: exactly once, for decisions. One loop per owned partition:
 *
 *   read ──► pace ──► keys ──► read entries ──► prepare (with a budget) ──► decide in order ──► ONE commit
 *    ▲                                                                                            │
 *    └────────────────────── stored: go on behind it; refused: read the offset again ─────────────┘
 *
 * Contracts:
 * - Every message is decided exactly once, in offset order, whatever dies: its effects are all stored, or none.
 * - `decide` sees the entries that `keys` declared, as all decisions before it left them, and nothing else.
 * - Facts are gathered once a batch; late or failed, `decide` runs without them when the budget is over.
 * - A message whose deadline is over is decided like any other: what that means is for `decide` to record.
 * - One bad message ends in the dead letters, together with what `poison` leaves, and holds up no other.
 * - `stop` finishes the batch it has in hand within the grace, or gives it up whole.
 *
 * What can go wrong:
 * - The commit is refused because the partition has a newer owner: the loop ends, and the new owner decides.
 * - The outcome of a commit is not known: the loop reads the committed offset again, which tells.
 * - Storage is exhausted: the batch is decided anew later; nothing of it was stored.
 * - `decide` throws, or `keys` does, or gives what is no key: those before it are decided again from the entries as
 *   they are stored (it may have changed an object that it was shown) and committed, then it runs alone with fresh
 *   facts. Where it throws alone, it goes to the dead letters together with what `poison` leaves.
 * - An entry without JSON or a message that the engine refuses shows only at the commit: then the whole batch runs
 *   again one by one. Where that is so of what `poison` leaves, the message goes to the dead letters without it.
 * - Bytes that cannot be decoded: to the dead letters, without `poison` (there is no message to ask about).
 * - `prepare` hangs: after its budget the batch is decided without facts, and its signal is aborted.
 */
import { backoffMs } from "./backoff.ts";
import { isForAnotherGroup, reportDeadLetter } from "./dead-letters.ts";
import { DecisionBatch } from "./decision-batch.ts";
import type { Commit, Lease, PartitionRef, StoredMessage } from "./engine.ts";
import { checkKey } from "./engines/commit-rules.ts";
import { QueueError } from "./errors.ts";
import { gatherFacts } from "./gather-facts.ts";
import type { MemberCounters } from "./group-member.ts";
import type { PartitionWork } from "./membership.ts";
import { stateNamespace } from "./namespaces.ts";
import type { DecideContext, Message, ProcessOptions } from "./queue.ts";
import { describe, hasCode, isEngineEnd, type QueueContext } from "./queue-context.ts";
import { unlessAborted } from "./unless-aborted.ts";
import { Waker } from "./waker.ts";

const defaultMaxBatch = 256;
const maxReadBytes = 4 * 1024 * 1024;
const backoffRange = { firstMs: 10, longestMs: 2_000 };

/** A message as it was read: decoded, or why it could not be; or none of this group's business. */
type Item<T> =
  | { readonly kind: "message"; readonly stored: StoredMessage; readonly message: Message<T> }
  | { readonly kind: "undecodable"; readonly stored: StoredMessage; readonly error: unknown }
  | { readonly kind: "passed-by"; readonly stored: StoredMessage };

type MessageItem<T> = Extract<Item<T>, { kind: "message" }>;

export class PartitionProcess<T, Facts> implements PartitionWork {
  readonly #context: QueueContext;
  readonly #options: ProcessOptions<T, Facts>;
  readonly #lease: Lease;
  readonly #ref: PartitionRef;
  readonly #namespace: string;
  readonly #maxBatch: number;
  readonly #counters: MemberCounters;
  readonly #lost: () => void;
  readonly #waker: Waker;
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;
  #mode: "running" | "stopping" | "killed" = "running";
  /** Next to read; undefined: ask the engine. */
  #position: number | undefined;
  /** Read and decoded, not yet taken. */
  #ahead: Item<T>[] = [];
  /** So many messages are to run one by one, since a batch with them failed. */
  #alone = 0;

  constructor(
    context: QueueContext,
    options: ProcessOptions<T, Facts>,
    lease: Lease,
    counters: MemberCounters,
    lost: () => void,
  ) {
    const { group, topic, partition } = lease;
    this.#context = context;
    this.#options = options;
    this.#lease = lease;
    this.#ref = { group, topic, partition };
    this.#namespace = stateNamespace(group, topic, partition);
    this.#maxBatch = options.maxBatch ?? defaultMaxBatch;
    this.#counters = counters;
    this.#lost = lost;
    this.#waker = new Waker(context.timers);
    const unsubscribe = context.appends.on(topic, partition, this.#waker.wake);
    this.#done = this.#run().finally(unsubscribe);
  }

  async stop(graceMs: number): Promise<void> {
    if (this.#mode === "running") this.#mode = "stopping";
    this.#waker.wake();
    const cancel = this.#context.timers.after(graceMs, () => this.#abort.abort());
    await this.#done;
    cancel();
  }

  kill(): void {
    this.#mode = "killed";
    this.#abort.abort();
    this.#waker.wake();
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (this.#mode === "running") {
      try {
        if (this.#ahead.length === 0 && !(await this.#readAhead())) {
          await this.#waker.wait();
          continue;
        }
        await this.#step();
        failures = 0;
      } catch (error) {
        if (isEngineEnd(error) || this.#abort.signal.aborted) return;
        if (hasCode(error, "FENCED")) {
          this.#mode = "killed";
          this.#lost();
          return;
        }
        this.#context.report(`process ${this.#ref.group} on ${this.#ref.topic}/${this.#ref.partition}`, error);
        this.#ahead = [];
        this.#position = undefined;
        await this.#waker.sleep(
          backoffMs(++failures, backoffRange, this.#context.random),
          () => this.#mode !== "running",
        );
      }
    }
  }

  /** False when there is nothing to read. */
  async #readAhead(): Promise<boolean> {
    const { engine, interceptors } = this.#context;
    const { topic, partition } = this.#ref;
    if (this.#position === undefined) {
      this.#position = await engine.committedOffset(this.#ref);
      interceptors?.takeOver(this.#ref, this.#position);
    }
    const limits = { maxMessages: this.#maxBatch, maxBytes: maxReadBytes };
    const stored = await engine.read(topic, partition, this.#position, limits);
    if (stored.length === 0) return false;
    if (interceptors !== undefined) for (const message of stored) interceptors.receive(message, this.#ref.group);
    this.#ahead = stored.map((message) => this.#item(message));
    return true;
  }

  #item(stored: StoredMessage): Item<T> {
    if (isForAnotherGroup(stored.headers, this.#ref.group)) return { kind: "passed-by", stored };
    try {
      const { topic, partition, offset, timestampMs, key, headers } = stored;
      const value = this.#options.topic.codec.decode(stored.value);
      return {
        kind: "message",
        stored,
        message: { topic, partition, offset, timestampMs, key, headers, value, attempt: 1 },
      };
    } catch (error) {
      return { kind: "undecodable", stored, error };
    }
  }

  /** Takes the next messages of one kind from those read ahead, and commits what follows from them. */
  async #step(): Promise<void> {
    const kind = this.#ahead[0]?.kind;
    let length = 1;
    while (length < this.#ahead.length && this.#ahead[length]?.kind === kind) length++;
    if (kind !== "message") {
      await this.#passOver(this.#ahead.slice(0, length));
      return;
    }
    let batch = this.#ahead.slice(0, this.#alone > 0 ? 1 : length) as MessageItem<T>[];
    if (this.#options.pace !== undefined) {
      const taken = await unlessAborted(
        this.#options.pace(batch.map(messageOf), this.#abort.signal),
        this.#abort.signal,
      );
      if (!(taken >= 1)) throw new QueueError("INVALID_ARGUMENT", `pace returned ${taken}; at least 1 has to be taken`);
      if (taken < batch.length) batch = batch.slice(0, Math.floor(taken));
    }
    if (this.#mode === "killed") return;
    await this.#decideAndCommit(batch);
  }

  async #passOver(items: readonly Item<T>[]): Promise<void> {
    const { engine } = this.#context;
    const letters = new DecisionBatch(this.#context, this.#namespace, engine.now(), [], []);
    for (const item of items) {
      if (item.kind !== "undecodable") continue;
      const error = `the message cannot be decoded: ${describe(item.error)}`;
      letters.addDeadLetter(this.#ref.group, item.stored, error, [{ atMs: engine.now(), error }]);
    }
    await this.#commit(letters, items);
  }

  async #decideAndCommit(batch: readonly MessageItem<T>[]): Promise<void> {
    const { engine } = this.#context;
    const keys = batch.map((item) => this.#keysOf(item.message));
    const { prepare } = this.#options;
    const facts = await gatherFacts(prepare, batch.map(messageOf), this.#abort.signal, this.#context.timers);
    const all = allOf(keys);
    const values = all.length === 0 ? [] : await engine.readState(this.#namespace, all);
    // Facts that the end of the grace cut short are not facts that were late: the next owner gathers them anew.
    if (this.#abort.signal.aborted) return;
    const nowMs = engine.now();
    const context: DecideContext<Facts> = { facts, nowMs };
    const begin = () => new DecisionBatch(this.#context, this.#namespace, nowMs, all, values);
    for (let decided = batch; decided.length > 0; ) {
      const decisions = begin();
      const failure = this.#decideInOrder(decided, keys, decisions, context);
      if (failure === undefined) {
        await this.#commitDecided(decisions, decided);
        return;
      }
      // Whatever a decision that failed did to the entries it was shown goes with it.
      decisions.discarded(failure.error);
      if (batch.length === 1) {
        await this.#buryAlone(batch[0] as MessageItem<T>, failure.error, begin, context);
        return;
      }
      // Those before it are decided anew and committed now; then it runs alone.
      this.#alone = failure.index + 1;
      decided = decided.slice(0, failure.index);
    }
  }

  /** The first message that cannot be decided; undefined where all were. */
  #decideInOrder(
    batch: readonly MessageItem<T>[],
    keys: readonly DeclaredKeys[],
    decisions: DecisionBatch,
    context: DecideContext<Facts>,
  ): { readonly index: number; readonly error: unknown } | undefined {
    for (const [index, item] of batch.entries()) {
      const { declared, error } = keys[index] as DeclaredKeys;
      decisions.declare(declared);
      try {
        if (error !== undefined) throw error;
        decisions.apply(item.stored, this.#ref.group, this.#options.decide(item.message, decisions, context));
      } catch (thrown) {
        return { index, error: thrown };
      }
    }
    return undefined;
  }

  #keysOf(message: Message<T>): DeclaredKeys {
    try {
      const declared = this.#options.keys(message.value);
      for (const key of declared) checkKey(key, "keys()");
      return { declared, error: undefined };
    } catch (error) {
      return { declared: [], error: error ?? new Error("keys() threw nothing") };
    }
  }

  async #commitDecided(decisions: DecisionBatch, batch: readonly MessageItem<T>[]): Promise<void> {
    try {
      await this.#commit(decisions, batch);
    } catch (error) {
      if (!isRefusedForGood(error)) throw error;
      if (batch.length > 1) {
        this.#alone = batch.length;
        return;
      }
      await this.#buryRefused(batch[0] as MessageItem<T>, error);
      return;
    }
    this.#counters.handled += batch.length;
    this.#counters.batches++;
  }

  /** Its decision cannot be stored at all. */
  async #buryRefused(item: MessageItem<T>, error: unknown): Promise<void> {
    const { engine } = this.#context;
    const { declared } = this.#keysOf(item.message);
    const values = declared.length === 0 ? [] : await engine.readState(this.#namespace, declared);
    const nowMs = engine.now();
    const begin = () => new DecisionBatch(this.#context, this.#namespace, nowMs, declared, values);
    await this.#buryAlone(item, error, begin, { facts: undefined, nowMs });
  }

  /** To the dead letters, with what `poison` leaves behind; without, where that cannot be stored either. */
  async #buryAlone(
    item: MessageItem<T>,
    thrown: unknown,
    begin: () => DecisionBatch,
    context: DecideContext<Facts>,
  ): Promise<void> {
    const history = [{ atMs: context.nowMs, error: describe(thrown) }];
    const commit = async (decisions: DecisionBatch) => {
      decisions.addDeadLetter(this.#ref.group, item.stored, describe(thrown), history);
      await this.#commit(decisions, [item]);
    };
    const withPoison = begin();
    const isLeft = this.#applyPoison(item, thrown, withPoison, context, history);
    try {
      await commit(isLeft ? withPoison : begin());
    } catch (error) {
      if (!isLeft || !isRefusedForGood(error)) throw error;
      history.push({ atMs: context.nowMs, error: `what poison() left was refused: ${describe(error)}` });
      await commit(begin());
    }
    this.#counters.handled++;
    this.#counters.batches++;
  }

  /** False where `poison` threw: nothing of that is kept, but for its place in the history. */
  #applyPoison(
    item: MessageItem<T>,
    thrown: unknown,
    decisions: DecisionBatch,
    context: DecideContext<Facts>,
    history: { readonly atMs: number; readonly error: string }[],
  ): boolean {
    const { declared } = this.#keysOf(item.message);
    decisions.declare(declared);
    try {
      const left = this.#options.poison?.(item.message, thrown, decisions, context);
      if (left !== undefined) decisions.apply(item.stored, this.#ref.group, left);
      return true;
    } catch (error) {
      decisions.discarded(error);
      history.push({ atMs: context.nowMs, error: `poison() threw: ${describe(error)}` });
      return false;
    }
  }

  async #commit(decisions: DecisionBatch, items: readonly Item<T>[]): Promise<void> {
    const to = (items[items.length - 1] as Item<T>).stored.offset + 1;
    const commit = this.#commitOf(decisions, to);
    try {
      decisions.stored(await this.#context.engine.commit(commit));
    } catch (error) {
      decisions.failed(error);
      throw error;
    }
    this.#context.advances.count++;
    for (const [namespace, dueMs] of decisions.dues) this.#context.delayed.stored(namespace, dueMs);
    for (const { message, reason } of decisions.buried) {
      this.#counters.deadLettered++;
      reportDeadLetter(this.#context, this.#ref.group, message, reason);
    }
    this.#position = to;
    this.#ahead = items.length === this.#ahead.length ? [] : this.#ahead.slice(items.length);
    this.#alone = Math.max(0, this.#alone - items.length);
  }

  /** Throws where an entry has no JSON, and where the member was killed meanwhile. */
  #commitOf(decisions: DecisionBatch, to: number): Commit {
    try {
      if (this.#mode === "killed") throw new QueueError("CLOSED", "the member was killed");
      return { fence: this.#lease, advance: { ...this.#ref, to }, ...decisions.changes() };
    } catch (error) {
      decisions.discarded(error);
      if (error instanceof QueueError) throw error;
      throw new QueueError("INVALID_ARGUMENT", `an entry cannot be stored: ${describe(error)}`, { cause: error });
    }
  }
}

/** Whoever tries to store this again is refused again. */
function isRefusedForGood(error: unknown): boolean {
  if (!(error instanceof QueueError) || isEngineEnd(error) || error.code === "FENCED") return false;
  return error.outcome === "not_stored" && !error.retryable;
}

interface DeclaredKeys {
  readonly declared: readonly string[];
  readonly error: unknown;
}

/** Each key once, in the order of its first mention. */
function allOf(keys: readonly DeclaredKeys[]): readonly string[] {
  if (keys.length === 1) return (keys[0] as DeclaredKeys).declared;
  const all = new Set<string>();
  for (const { declared } of keys) for (const key of declared) all.add(key);
  return [...all];
}

function messageOf<T>(item: MessageItem<T>): Message<T> {
  return item.message;
}
