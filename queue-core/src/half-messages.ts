/**
 * Half messages (事务消息): stored but invisible, until their sender's local transaction says commit or rollback.
 *
 *   half ──commit──► appended to the topic
 *    │ └──rollback─► tombstone, for as long as a late commit may come
 *    └──no word──► check-back.ts asks ──► appended, tombstone, or dead letter and tombstone
 *
 * Each arrow is one commit that expects the half entry to be present and deletes it, so of sender and check-backs
 * exactly one decides.
 *
 * Contracts:
 * - The messages of one call are stored, and as a rule made visible or dropped, all together.
 * - Nobody reads a half message before the local transaction committed, nor ever after it rolled back.
 * - Of a sender that gave no answer, dead or restarted, any instance of the group is asked.
 * - A call for which the topic has no room is refused with OVERLOADED before its local transaction begins.
 * - A commit that comes after a rollback is refused with HALF_ROLLED_BACK; one that comes after a commit is well.
 *
 * What can go wrong:
 * - The sender dies: any instance of its group asks `checkBack`.
 * - The sender is slow and a check-back rolled back first: its commit finds the tombstone and is told so with
 *   HALF_ROLLED_BACK. Where the check-back committed first there is no tombstone, and all is well.
 * - The sender's commit meets a passing fault of storage: the half stays, and the check-back ends it. The caller
 *   is told the error.
 * - Two senders in one process store in the same ms: ids carry the sender's own name.
 */
import { CheckBack } from "./check-back.ts";
import type { AppendRequest, Commit, CommitReceipt, StateWrite } from "./engine.ts";
import { QueueError } from "./errors.ts";
import { commitOf, type Half, type HalfPlace, halfEntry, rollbackOf } from "./half-entry.ts";
import { failedOutcome, type Intercepted, type PublishOutcome } from "./interceptors.ts";
import { rolledBackNamespace, sendersNamespace, timeKey } from "./namespaces.ts";
import { appendRequest, type Publisher } from "./publish.ts";
import type { HalfMessage, LocalTransactionState, TransactionalPublisher } from "./queue.ts";
import { hasCode, type QueueContext } from "./queue-context.ts";
import type { Topic } from "./topic.ts";

const defaults = { checkAfterMs: 6_000, checkEveryMs: 60_000, maxChecks: 15 };
/** How long `stop` waits for an answer that is being given. */
const graceMs = 5_000;

interface SentHalf extends Half {
  /** Tells interceptors what became of it; nobody listens where there are none. */
  readonly settle: Intercepted["settle"];
}

const ignore = (): void => undefined;

export interface TransactionalOptions<T> {
  readonly group: string;
  readonly topic: Topic<T>;
  readonly checkBack: (half: HalfMessage<T>) => Promise<LocalTransactionState>;
  readonly checkAfterMs?: number;
  readonly checkEveryMs?: number;
  readonly maxChecks?: number;
  readonly backlog?: "bounded" | "unbounded";
}

export class HalfMessages<T> implements TransactionalPublisher<T> {
  readonly #context: QueueContext;
  readonly #publisher: Publisher;
  readonly #options: TransactionalOptions<T>;
  readonly #tombstones: string;
  readonly #name: string;
  readonly #checkBack: CheckBack<T>;
  /** Ids of those whose local transaction runs, or is about to. */
  readonly #transacting = new Set<string>();
  readonly #onStop: () => void;
  #stored = 0;
  /** Whether the topic knows that this group sends to it. */
  #isKnown = false;
  #isStopped = false;

  constructor(context: QueueContext, publisher: Publisher, options: TransactionalOptions<T>, onStop: () => void) {
    this.#publisher = publisher;
    this.#context = context;
    this.#options = options;
    this.#tombstones = rolledBackNamespace(options.group, options.topic.name);
    this.#name = `${context.instance}-${Math.floor(context.random() * 2 ** 48).toString(36)}`;
    this.#onStop = onStop;
    this.#checkBack = new CheckBack(context, {
      ...defaults,
      ...options,
      name: this.#name,
      isRunningHere: (id) => this.#transacting.has(id),
    });
  }

  async publish(
    values: readonly T[],
    localTransaction: () => Promise<LocalTransactionState>,
  ): Promise<LocalTransactionState> {
    if (this.#isStopped) throw new QueueError("CLOSED", "the transactional publisher is stopped");
    if (values.length === 0) return localTransaction();
    const halves = await this.#store(values);
    let state: LocalTransactionState;
    try {
      state = await localTransaction();
    } catch (error) {
      this.#context.report("a local transaction threw; its half messages are left to the check-back", error);
      settleAll(halves, { kind: "unknown", error });
      return "unknown";
    } finally {
      for (const { id } of halves) this.#transacting.delete(id);
    }
    try {
      if (state === "commit") await this.#commitAll(halves);
      else if (state === "rollback") await this.#rollBackAll(halves);
      else settleAll(halves, { kind: "unknown", error: new Error("the local transaction did not know") });
      return state;
    } catch (error) {
      // Whatever it was: a half that is still there is ended by a check-back.
      if (!hasCode(error, "HALF_ROLLED_BACK")) settleAll(halves, { kind: "unknown", error });
      throw error;
    }
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    await this.#checkBack.stop(graceMs);
    this.#onStop();
  }

  async #store(values: readonly T[]): Promise<readonly SentHalf[]> {
    const { topic, backlog } = this.#options;
    const requests = values.map((value) => appendRequest(topic, value, undefined));
    const settled = backlog === "unbounded" ? ignore : await this.#publisher.admitHidden(topic.name, requests);
    try {
      return await this.#storeAdmitted(requests);
    } finally {
      settled();
    }
  }

  async #storeAdmitted(requests: readonly AppendRequest[]): Promise<readonly SentHalf[]> {
    const { engine, interceptors } = this.#context;
    const storedAtMs = engine.now();
    const halves = requests.map((plain): SentHalf => {
      const { append, settle } = interceptors?.outgoing(plain, "half") ?? { append: plain, settle: ignore };
      return { id: `${timeKey(storedAtMs)}-${this.#name}-${this.#stored++}`, message: append, settle };
    });
    for (const { id } of halves) this.#transacting.add(id);
    const put = halves.map((half) => this.#entryOf(half, storedAtMs));
    if (!this.#isKnown) put.push(senderEntry(this.#options));
    try {
      await engine.commit({ put });
      this.#isKnown = true;
    } catch (error) {
      for (const { id } of halves) this.#transacting.delete(id);
      settleAll(halves, failedOutcome(error));
      throw error;
    }
    return halves;
  }

  #entryOf({ id, message: { key, headers, value } }: Half, storedAtMs: number) {
    const head = { key, storedAtMs, checks: 0, lastCheckMs: storedAtMs };
    return halfEntry(this.#options, id, headers === undefined ? head : { ...head, headers }, value);
  }

  async #commitAll(halves: readonly SentHalf[]): Promise<void> {
    const receipt = await this.#ifPresent(commitOf(this.#options, halves));
    if (receipt !== undefined) {
      for (const [index, half] of halves.entries()) settleStored(half, receipt.offsets[index]);
      return;
    }
    // A check-back was faster with some of them.
    const rolledBack: SentHalf[] = [];
    for (const half of halves) {
      const alone = await this.#ifPresent(commitOf(this.#options, [half]));
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

  async #rollBackAll(halves: readonly SentHalf[]): Promise<void> {
    const nowMs = this.#context.engine.now();
    const isEnded = (await this.#ifPresent(rollbackOf(this.#options, halves, nowMs))) !== undefined;
    if (!isEnded) for (const half of halves) await this.#ifPresent(rollbackOf(this.#options, [half], nowMs));
    settleAll(halves, { kind: "refused", error: new QueueError("HALF_ROLLED_BACK") });
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
}

function senderEntry({ group, topic }: HalfPlace): StateWrite {
  return { namespace: sendersNamespace(topic.name), key: group, value: Buffer.alloc(0) };
}

function settleStored({ message, settle }: SentHalf, offset: number | undefined): void {
  settle({ kind: "stored", partition: message.partition, offset });
}

function settleAll(halves: readonly SentHalf[], outcome: PublishOutcome): void {
  for (const { settle } of halves) settle(outcome);
}
