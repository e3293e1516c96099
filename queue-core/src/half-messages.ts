/**
 * Half messages (事务消息): stored but invisible, until their sender's local transaction says commit or rollback.
 *
 *   half ──commit──► appended to the topic
 *    │ └──rollback─► tombstone, for as long as a late commit may come
 *    └──no word──► check-back (事务消息反查) after `checkAfterMs`, `maxChecks` times ──► dead letter and tombstone
 *
 * Each arrow is one commit that expects the half entry to be present and deletes it, so of sender and check-backs
 * exactly one decides.
 *
 * Contracts:
 * - The messages of one call are stored, and as a rule made visible or dropped, all together.
 * - Nobody reads a half message before the local transaction committed, nor ever after it rolled back.
 * - Of a sender that gave no answer, dead or restarted, any instance of the group is asked, not before `checkAfterMs`.
 * - A commit that comes after a rollback is refused with HALF_ROLLED_BACK; one that comes after a commit is well.
 * - Without an answer after `maxChecks` a half message goes to the dead letters.
 *
 * What can go wrong:
 * - The sender dies: any instance of its group asks `checkBack`. One at a time, by a lease.
 * - The sender is slow and a check-back rolled back first: its commit finds the tombstone and is told so with
 *   HALF_ROLLED_BACK. Where the check-back committed first there is no tombstone, and all is well.
 * - The sender's commit meets a passing fault of storage: the half stays, and the check-back ends it. The caller
 *   is told the error.
 */
import { backoffMs } from "./backoff.ts";
import { deadLetterEntry, reportDeadLetter } from "./dead-letters.ts";
import type { AppendRequest, Commit, CommitReceipt, MessageHeaders, StateEntry, StateWrite } from "./engine.ts";
import { QueueError } from "./errors.ts";
import { failedOutcome, type Intercepted, type PublishOutcome } from "./interceptors.ts";
import { halfNamespace, rolledBackNamespace, timeKey } from "./namespaces.ts";
import { packMessage, unpackMessage } from "./packed-message.ts";
import { appendRequest } from "./publish.ts";
import type { HalfMessage, LocalTransactionState, TransactionalPublisher } from "./queue.ts";
import { describe, hasCode, isEngineEnd, type QueueContext } from "./queue-context.ts";
import { partitionOfKey, type Topic } from "./topic.ts";
import { Waker } from "./waker.ts";

/** How long a rollback is remembered: a sender that comes later than this is told that all is well. */
export const rollbackMemoryMs = 24 * 3_600_000;

const checkBatch = 256;
const backoffRange = { firstMs: 100, longestMs: 10_000 };
const tombstone = Buffer.from("1");

interface HalfHead {
  readonly key: string;
  /** Added by interceptors. */
  readonly headers?: MessageHeaders;
  readonly storedAtMs: number;
  readonly checks: number;
  readonly lastCheckMs: number;
}

interface Half {
  /** Key of the half entry; also the id that the application sees. */
  readonly id: string;
  readonly message: AppendRequest;
  /** Tells interceptors what became of it; nobody listens where there are none. */
  readonly settle: Intercepted["settle"];
}

const ignore = (): void => undefined;

export interface TransactionalOptions<T> {
  readonly group: string;
  readonly topic: Topic<T>;
  readonly checkBack: (half: HalfMessage<T>) => Promise<LocalTransactionState>;
  readonly checkAfterMs?: number;
  readonly maxChecks?: number;
}

export class HalfMessages<T> implements TransactionalPublisher<T> {
  readonly #context: QueueContext;
  readonly #options: TransactionalOptions<T>;
  readonly #checkAfterMs: number;
  readonly #maxChecks: number;
  readonly #namespace: string;
  readonly #tombstones: string;
  readonly #waker: Waker;
  readonly #unsubscribe: () => void;
  readonly #onStop: () => void;
  readonly #running: Promise<void>;
  #stored = 0;
  #isStopped = false;

  constructor(context: QueueContext, options: TransactionalOptions<T>, onStop: () => void) {
    this.#context = context;
    this.#options = options;
    this.#checkAfterMs = options.checkAfterMs ?? 6_000;
    this.#maxChecks = options.maxChecks ?? 15;
    this.#namespace = halfNamespace(options.group, options.topic.name);
    this.#tombstones = rolledBackNamespace(options.group, options.topic.name);
    this.#onStop = onStop;
    this.#waker = new Waker(context.timers);
    this.#unsubscribe = context.engine.onStateChange(this.#namespace, this.#waker.wake);
    this.#running = this.#run();
  }

  async publish(values: readonly T[], localTransaction: () => Promise<LocalTransactionState>): Promise<void> {
    if (this.#isStopped) throw new QueueError("CLOSED", "the transactional publisher is stopped");
    if (values.length === 0) {
      await localTransaction();
      return;
    }
    const halves = await this.#store(values);
    let state: LocalTransactionState;
    try {
      state = await localTransaction();
    } catch (error) {
      this.#context.report("a local transaction threw; its half messages are left to the check-back", error);
      settleAll(halves, { kind: "unknown", error });
      return;
    }
    try {
      if (state === "commit") await this.#commitAll(halves);
      else if (state === "rollback") await this.#rollBackAll(halves);
      else settleAll(halves, { kind: "unknown", error: new Error("the local transaction did not know") });
    } catch (error) {
      // Whatever it was: a half that is still there is ended by a check-back.
      if (!hasCode(error, "HALF_ROLLED_BACK")) settleAll(halves, { kind: "unknown", error });
      throw error;
    }
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#unsubscribe();
    this.#waker.wake();
    await this.#running;
    this.#onStop();
  }

  async #store(values: readonly T[]): Promise<readonly Half[]> {
    const { engine, instance, interceptors } = this.#context;
    const storedAtMs = engine.now();
    const requests = values.map((value) => appendRequest(this.#options.topic, value, undefined));
    const halves = requests.map((plain): Half => {
      const { append, settle } = interceptors?.outgoing(plain, "half") ?? { append: plain, settle: ignore };
      return { id: `${timeKey(storedAtMs)}-${instance}-${this.#stored++}`, message: append, settle };
    });
    try {
      await engine.commit({ put: halves.map((half) => this.#halfEntry(half, storedAtMs)) });
    } catch (error) {
      settleAll(halves, failedOutcome(error));
      throw error;
    }
    return halves;
  }

  #halfEntry({ id, message: { key, headers, value } }: Half, storedAtMs: number): StateWrite {
    const head: HalfHead = {
      key,
      ...(headers === undefined ? {} : { headers }),
      storedAtMs,
      checks: 0,
      lastCheckMs: storedAtMs,
    };
    return { namespace: this.#namespace, key: id, value: packMessage(head, value) };
  }

  async #commitAll(halves: readonly Half[]): Promise<void> {
    const receipt = await this.#ifPresent(this.#commitOf(halves));
    if (receipt !== undefined) {
      for (const [index, half] of halves.entries()) settleStored(half, receipt.offsets[index]);
      return;
    }
    // A check-back was faster with some of them.
    const rolledBack: Half[] = [];
    for (const half of halves) {
      const alone = await this.#ifPresent(this.#commitOf([half]));
      if (alone === undefined && (await this.#wasRolledBack(half))) rolledBack.push(half);
      else settleStored(half, alone?.offsets[0]);
    }
    if (rolledBack.length === 0) return;
    const detail = `${rolledBack.length} of ${halves.length} half messages were rolled back by a check-back`;
    const error = new QueueError("HALF_ROLLED_BACK", detail);
    settleAll(rolledBack, { kind: "refused", error });
    throw error;
  }

  /** Asks in the order of commits: a read could come before a rollback that is on its way to the disk. */
  async #wasRolledBack(half: Half): Promise<boolean> {
    const isAbsent = { namespace: this.#tombstones, key: half.id, is: "absent" as const };
    return (await this.#ifPresent({ expect: [isAbsent] })) === undefined;
  }

  async #rollBackAll(halves: readonly Half[]): Promise<void> {
    const isEnded = (await this.#ifPresent(this.#rollbackOf(halves))) !== undefined;
    if (!isEnded) for (const half of halves) await this.#ifPresent(this.#rollbackOf([half]));
    settleAll(halves, { kind: "refused", error: new QueueError("HALF_ROLLED_BACK") });
  }

  #commitOf(halves: readonly Pick<Half, "id" | "message">[]): Commit {
    return { ...this.#ending(halves), append: halves.map((half) => half.message) };
  }

  #rollbackOf(halves: readonly Pick<Half, "id">[]): Commit {
    const expiresAtMs = this.#context.engine.now() + rollbackMemoryMs;
    const { expect, put } = this.#ending(halves);
    const marks = halves.map(({ id }) => ({ namespace: this.#tombstones, key: id, value: tombstone, expiresAtMs }));
    return { expect, put: [...put, ...marks] };
  }

  #ending(halves: readonly Pick<Half, "id">[]) {
    const namespace = this.#namespace;
    return {
      expect: halves.map(({ id }) => ({ namespace, key: id, is: "present" as const })),
      put: halves.map(({ id }) => ({ namespace, key: id, value: null })),
    };
  }

  /** Undefined when somebody else ended one of them before. */
  async #ifPresent(commit: Commit): Promise<CommitReceipt | undefined> {
    try {
      return await this.#context.engine.commit(commit);
    } catch (error) {
      if (hasCode(error, "CONFLICT")) return undefined;
      throw error;
    }
  }

  // --- check-back ------------------------------------------------------------------------------------------

  async #run(): Promise<void> {
    const { engine, random } = this.#context;
    let failures = 0;
    while (!this.#isStopped) {
      try {
        const [oldest] = await engine.scanState(this.#namespace, { limit: 1 });
        if (oldest === undefined) {
          await this.#waker.wait();
          continue;
        }
        // Halves end within ms as a rule: instead of watching each, look once the oldest could be due.
        const untilDue = Number(oldest.key.slice(0, 15)) + this.#checkAfterMs - engine.now();
        await this.#waker.sleep(Math.max(untilDue, this.#checkAfterMs / 8), () => this.#isStopped);
        if (!this.#isStopped) await this.#checkDue();
        failures = 0;
      } catch (error) {
        if (isEngineEnd(error)) return;
        this.#context.report(`check-back of ${this.#namespace}`, error);
        await this.#waker.sleep(backoffMs(++failures, backoffRange, random), () => this.#isStopped);
      }
    }
  }

  async #checkDue(): Promise<void> {
    const { engine, instance, leaseMs } = this.#context;
    const { group, topic } = this.#options;
    const place = { group: `$check-${group}`, topic: topic.name, partition: 0 };
    const lease = await engine.acquireLease({
      ...place,
      member: instance,
      ttlMs: Math.max(leaseMs, this.#checkAfterMs),
    });
    if (lease === undefined) return;
    try {
      let after: string | undefined;
      while (!this.#isStopped) {
        const before = timeKey(engine.now() - this.#checkAfterMs + 1);
        const page = { before, limit: checkBatch, ...(after === undefined ? {} : { after }) };
        const entries = await engine.scanState(this.#namespace, page);
        for (const entry of entries) if (!this.#isStopped) await this.#check(entry);
        after = entries.at(-1)?.key;
        if (entries.length < checkBatch) return;
      }
    } finally {
      await engine.releaseLease(lease);
    }
  }

  async #check(entry: StateEntry): Promise<void> {
    const { engine } = this.#context;
    const { head, value: bytes } = unpackMessage<HalfHead>(entry.value);
    if (engine.now() - head.lastCheckMs < this.#checkAfterMs) return;
    const half = { id: entry.key, message: this.#messageOf(head, bytes) };
    let failure = "";
    let state: LocalTransactionState = "unknown";
    try {
      const { topic, checkBack } = this.#options;
      const { storedAtMs, checks } = head;
      state = await checkBack({ id: entry.key, value: topic.codec.decode(bytes), storedAtMs, checks: checks + 1 });
    } catch (error) {
      failure = describe(error);
      this.#context.report(`check-back of half message ${entry.key}`, error);
    }
    if (state === "commit") await this.#ifPresent(this.#commitOf([half]));
    else if (state === "rollback") await this.#ifPresent(this.#rollbackOf([half]));
    else if (head.checks + 1 >= this.#maxChecks) await this.#bury(half, head, bytes, failure);
    else await this.#countCheck(entry.key, head, bytes);
  }

  async #countCheck(id: string, head: HalfHead, bytes: Buffer): Promise<void> {
    const next: HalfHead = { ...head, checks: head.checks + 1, lastCheckMs: this.#context.engine.now() };
    await this.#ifPresent({
      expect: [{ namespace: this.#namespace, key: id, is: "present" }],
      put: [{ namespace: this.#namespace, key: id, value: packMessage(next, bytes) }],
    });
  }

  async #bury(half: Pick<Half, "id" | "message">, head: HalfHead, bytes: Buffer, failure: string): Promise<void> {
    const nowMs = this.#context.engine.now();
    const reason = `no answer after ${head.checks + 1} checks`;
    const history = [{ atMs: nowMs, error: failure === "" ? reason : failure }];
    const stored = { ...half.message, offset: -1, timestampMs: head.storedAtMs, headers: head.headers ?? {} };
    const death = { attempt: head.checks + 1, reason, history, id: half.id };
    const { expect = [], put = [] } = this.#rollbackOf([half]);
    const { group } = this.#options;
    const isBuried = await this.#ifPresent({ expect, put: [...put, deadLetterEntry(group, stored, bytes, death)] });
    if (isBuried !== undefined) reportDeadLetter(this.#context, group, stored, reason);
  }

  #messageOf(head: HalfHead, bytes: Buffer): AppendRequest {
    const { topic } = this.#options;
    const { key, headers } = head;
    const message = { topic: topic.name, partition: partitionOfKey(key, topic.partitions), key, value: bytes };
    return headers === undefined ? message : { ...message, headers };
  }
}

function settleStored({ message, settle }: Half, offset: number | undefined): void {
  settle({ kind: "stored", partition: message.partition, offset });
}

function settleAll(halves: readonly Half[], outcome: PublishOutcome): void {
  for (const { settle } of halves) settle(outcome);
}
