/**
 * The check-back (事务消息反查): asks what became of local transactions whose sender gave no word.
 *
 *   stored ──`checkAfterMs`──► asked ──commit, rollback──► ended
 *                               │ └──unknown──► asked again after `checkEveryMs`; `maxChecks` times ──► dead letter
 *                               └──throws──► no answer: asked again after a growing wait, for as long as it takes
 *
 * Contracts:
 * - Nobody is asked before `checkAfterMs`, nor while the local transaction runs in this very process.
 * - A throw (the database is down) spends no check.
 * - As a rule one instance of the group asks at a time, by a lease. Where a single answer takes longer than that lease
 *   (3 s, or `checkAfterMs` if longer), another instance may ask the same; one of the two answers counts.
 *
 * What can go wrong:
 * - The database is down, and each of 10,000 half messages would be tried against it: after 8 throws in a row the round
 *   ends; the next one goes on behind them, so that a few that always throw hold up nobody.
 * - A transaction that still runs elsewhere looks like one that never was. Nobody but the application can tell: it
 *   answers `rollback` only where the transaction can no longer commit, else `unknown` (queue.ts).
 * - `checkBack` never settles: a stop waits for it no longer than its grace, and its answer then counts for nothing.
 *   Until a stop it holds up those behind it in this process alone: the lease runs out, and another instance asks.
 */
import { backoffMs } from "./backoff.ts";
import { deadLetterEntry, reportDeadLetter } from "./dead-letters.ts";
import type { Commit, Lease, StateEntry } from "./engine.ts";
import { commitOf, type Half, type HalfHead, halfEntry, readHalf, rollbackOf } from "./half-entry.ts";
import { halfNamespace, timeKey } from "./namespaces.ts";
import type { HalfMessage, LocalTransactionState } from "./queue.ts";
import { describe, hasCode, isEngineEnd, type QueueContext } from "./queue-context.ts";
import type { Topic } from "./topic.ts";
import { Waker } from "./waker.ts";

const checkBatch = 256;
const throwsInARow = 8;
const backoffRange = { firstMs: 100, longestMs: 10_000 };

export interface CheckBackOptions<T> {
  readonly group: string;
  readonly topic: Topic<T>;
  readonly checkBack: (half: HalfMessage<T>) => Promise<LocalTransactionState>;
  readonly checkAfterMs: number;
  readonly checkEveryMs: number;
  readonly maxChecks: number;
  /** Tells this asker apart from all others. */
  readonly name: string;
  /** Whether the half message's local transaction runs in this process. */
  readonly isRunningHere: (id: string) => boolean;
}

/** What a round met. */
interface Throws {
  count: number;
  first: unknown;
}

export class CheckBack<T> {
  readonly #context: QueueContext;
  readonly #options: CheckBackOptions<T>;
  readonly #namespace: string;
  readonly #waker: Waker;
  readonly #unsubscribe: () => void;
  readonly #running: Promise<void>;
  /** Changed by `stop` alone. `ended`: nothing is asked, and no answer counts. */
  #mode: "asking" | "stopping" | "ended" = "asking";
  #lease: Lease | undefined;
  #leasedAtMs = 0;
  /** Where a round that gave up left off. */
  #after: string | undefined;

  constructor(context: QueueContext, options: CheckBackOptions<T>) {
    this.#context = context;
    this.#options = options;
    this.#namespace = halfNamespace(options.group, options.topic.name);
    this.#waker = new Waker(context.timers);
    this.#unsubscribe = context.engine.onStateChange(this.#namespace, this.#waker.wake);
    this.#running = this.#run();
  }

  /** An answer that is waited for counts if it comes within `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#mode = "stopping";
    this.#unsubscribe();
    this.#waker.wake();
    const grace = Promise.withResolvers<void>();
    const cancel = this.#context.timers.after(graceMs, grace.resolve);
    await Promise.race([this.#running, grace.promise]);
    cancel();
    this.#mode = "ended";
    await this.#release();
  }

  async #run(): Promise<void> {
    const { engine, random } = this.#context;
    const { checkAfterMs } = this.#options;
    const hasStopped = (): boolean => this.#mode !== "asking";
    let failures = 0;
    while (!hasStopped()) {
      try {
        const [oldest] = await engine.scanState(this.#namespace, { limit: 1 });
        if (oldest === undefined) {
          await this.#waker.wait();
          continue;
        }
        // Halves end within ms as a rule: instead of watching each, look once the oldest could be due.
        const untilDue = Number(oldest.key.slice(0, 15)) + checkAfterMs - engine.now();
        await this.#waker.sleep(Math.max(untilDue, checkAfterMs / 8), hasStopped);
        if (hasStopped()) return;
        const { count, first } = await this.#round();
        if (count > 0) throw new Error(`${count} half messages got no answer: ${describe(first)}`, { cause: first });
        failures = 0;
      } catch (error) {
        if (isEngineEnd(error) || this.#mode === "ended") return;
        this.#context.report(`check-back of ${this.#namespace}`, error);
        await this.#waker.sleep(backoffMs(++failures, backoffRange, random), hasStopped);
      }
    }
  }

  /** Asks about all that is due, under the lease. */
  async #round(): Promise<Throws> {
    const throws: Throws = { count: 0, first: undefined };
    const { group, topic, name } = this.#options;
    const place = { group: `$check-${group}`, topic: topic.name, partition: 0 };
    this.#lease = await this.#context.engine.acquireLease({ ...place, member: name, ttlMs: this.#leaseMs });
    if (this.#lease === undefined) return throws;
    this.#leasedAtMs = this.#context.engine.now();
    try {
      await this.#askAll(throws);
    } finally {
      await this.#release();
    }
    return throws;
  }

  async #askAll(throws: Throws): Promise<void> {
    const { engine } = this.#context;
    let inARow = 0;
    do {
      const before = timeKey(engine.now() - this.#options.checkAfterMs + 1);
      const after = this.#after;
      const page = { before, limit: checkBatch, ...(after === undefined ? {} : { after }) };
      const entries = await engine.scanState(this.#namespace, page);
      for (const entry of entries) {
        if (this.#mode !== "asking" || !(await this.#keepLease())) return;
        this.#after = entry.key;
        const thrown = await this.#check(entry);
        inARow = thrown === undefined ? 0 : inARow + 1;
        if (thrown !== undefined && throws.count++ === 0) throws.first = thrown.error;
        if (inARow === throwsInARow) return;
      }
      if (entries.length < checkBatch) this.#after = undefined;
    } while (this.#after !== undefined);
  }

  get #leaseMs(): number {
    return Math.max(this.#context.leaseMs, this.#options.checkAfterMs);
  }

  /** False once somebody else may ask. */
  async #keepLease(): Promise<boolean> {
    const { engine } = this.#context;
    const nowMs = engine.now();
    if (this.#lease === undefined) return false;
    if (nowMs - this.#leasedAtMs < this.#leaseMs / 3) return true;
    this.#leasedAtMs = nowMs;
    return engine.renewLease(this.#lease, this.#leaseMs);
  }

  async #release(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    if (lease === undefined) return;
    await this.#context.engine.releaseLease(lease).catch((error: unknown) => {
      if (!isEngineEnd(error)) this.#context.report(`check-back of ${this.#namespace}`, error);
    });
  }

  /** What `checkBack` threw, if it did. */
  async #check(entry: StateEntry): Promise<{ readonly error: unknown } | undefined> {
    const { engine } = this.#context;
    const { checkAfterMs, checkEveryMs, maxChecks, isRunningHere } = this.#options;
    const { half, head, bytes } = readHalf(this.#options, entry);
    const waitMs = head.checks === 0 ? checkAfterMs : checkEveryMs;
    if (engine.now() - head.lastCheckMs < waitMs || isRunningHere(entry.key)) return;
    const value = decoded(this.#options.topic, bytes);
    let state: LocalTransactionState = "unknown";
    try {
      if ("is" in value) state = await this.#ask(half, head, value.is);
    } catch (error) {
      return { error };
    }
    if (this.#mode === "ended") return;
    if (state === "commit") await this.#unlessEnded(commitOf(this.#options, [half]));
    else if (state === "rollback") await this.#unlessEnded(rollbackOf(this.#options, [half], engine.now()));
    else if (head.checks + 1 < maxChecks) await this.#countCheck(half, head, bytes);
    else await this.#bury(half, head, bytes, "fault" in value ? value.fault : undefined);
  }

  #ask({ id }: Half, { storedAtMs, checks }: HalfHead, value: T): Promise<LocalTransactionState> {
    const { checkBack } = this.#options;
    return checkBack({ id, value, storedAtMs, checks: checks + 1 });
  }

  async #countCheck({ id }: Half, head: HalfHead, bytes: Buffer): Promise<void> {
    const next: HalfHead = { ...head, checks: head.checks + 1, lastCheckMs: this.#context.engine.now() };
    await this.#unlessEnded({
      expect: [{ namespace: this.#namespace, key: id, is: "present" }],
      put: [halfEntry(this.#options, id, next, bytes)],
    });
  }

  async #bury(half: Half, head: HalfHead, bytes: Buffer, fault: string | undefined): Promise<void> {
    const nowMs = this.#context.engine.now();
    const reason = `no answer after ${head.checks + 1} checks`;
    const history = [{ atMs: nowMs, error: fault ?? reason }];
    const stored = { ...half.message, offset: -1, timestampMs: head.storedAtMs, headers: head.headers ?? {} };
    const death = { attempt: head.checks + 1, reason, history, id: half.id };
    const { group } = this.#options;
    const ended = rollbackOf(this.#options, [half], nowMs);
    const isBuried = await this.#unlessEnded({
      ...ended,
      put: [...ended.put, deadLetterEntry(group, stored, bytes, death)],
    });
    if (isBuried) reportDeadLetter(this.#context, group, stored, reason);
  }

  /** False when its sender ended it meanwhile. */
  async #unlessEnded(commit: Commit): Promise<boolean> {
    try {
      await this.#context.engine.commit(commit);
      return true;
    } catch (error) {
      if (hasCode(error, "CONFLICT")) return false;
      throw error;
    }
  }
}

function decoded<T>(topic: Topic<T>, bytes: Buffer): { readonly is: T } | { readonly fault: string } {
  try {
    return { is: topic.codec.decode(bytes) };
  } catch (error) {
    return { fault: `cannot be decoded: ${describe(error)}` };
  }
}
