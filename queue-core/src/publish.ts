/**
 * Entry publishes: one message, one commit, as durable as the engine promises once the promise resolves.
 *
 * Contracts:
 * - The key alone picks the partition. What one process publishes to a partition is stored in the order of the calls,
 *   but for those that had to wait for the backlog to be measured.
 * - It rejects, and never throws; every error of its own is a QueueError that says what became of the message.
 * - What was refused before the engine had it (UNKNOWN_TOPIC, MESSAGE_TOO_LARGE, OVERLOADED) is stored nowhere.
 *
 * - A message that claims an entry is stored with it in one commit, or not at all where somebody has it already.
 *
 * What can go wrong: a backlog without bound (backpressure.ts, hidden-backlog.ts), a repeat after an unknown outcome
 * (deduplication.ts), a message that should come later (delay.ts). A plain publish does nothing beyond one append:
 * everything else, interceptors included, is paid for by those who ask for it.
 */
import { TopicBacklog } from "./backpressure.ts";
import { firstSend } from "./deduplication.ts";
import { delayedEntry } from "./delay.ts";
import type { AppendRequest, Commit, CommitReceipt, MessageHeaders, StateWrite } from "./engine.ts";
import { QueueError } from "./errors.ts";
import { HiddenBacklog } from "./hidden-backlog.ts";
import { failedOutcome, type InterceptorChain } from "./interceptors.ts";
import { checkName, delayNamespace } from "./namespaces.ts";
import { checkDelayMs, checkMs } from "./number-checks.ts";
import type { PublishOptions, PublishReceipt } from "./queue.ts";
import { hasCode, type QueueContext } from "./queue-context.ts";
import { partitionOfKey, type Topic } from "./topic.ts";

/** Less than the 1 MiB an engine takes, so that a message with its headers and error history fits in a state entry. */
export const maxMessageBytes = 512 * 1024;

export class Publisher {
  readonly #context: QueueContext;
  readonly #backlogs = new Map<string, TopicBacklog>();
  readonly #hidden = new Map<string, HiddenBacklog>();
  #delayed = 0;

  constructor(context: QueueContext) {
    this.#context = context;
  }

  addTopic(topic: Topic<unknown>): void {
    this.#backlogs.set(topic.name, new TopicBacklog(this.#context, topic));
    this.#hidden.set(topic.name, new HiddenBacklog(this.#context, topic));
  }

  /** Not an async function: each promise less counts at 100,000 publishes/s. It rejects, and never throws. */
  publish<T>(topic: Topic<T>, value: T, options?: PublishOptions): Promise<PublishReceipt> {
    try {
      const backlog = this.#backlogs.get(topic.name);
      if (backlog === undefined)
        throw new QueueError("UNKNOWN_TOPIC", `topic ${topic.name} was not given to openQueue`);
      const append = appendRequest(topic, value, options === undefined ? undefined : headersOf(options));
      if (options?.claim !== undefined) checkName("namespace", options.claim.namespace);
      if (options !== undefined) checkTimes(options);
      if ((options?.delayMs ?? 0) > 0) return this.#publishDelayed(append, options as PublishOptions);
      const wait = backlog.admit(append.value.length);
      if (wait !== undefined) return wait.then(() => this.#store(backlog, append, options));
      return this.#store(backlog, append, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Asks for room for messages that nobody can read yet: among those that can be read, where they will be in the end, and
   * among the others. Rejects with OVERLOADED; what it resolves with is called once they were stored or not.
   */
  async admitHidden(topic: string, appends: readonly AppendRequest[]): Promise<() => void> {
    const backlog = this.#backlogs.get(topic) as TopicBacklog;
    const hidden = this.#hidden.get(topic) as HiddenBacklog;
    const load = { messages: appends.length, bytes: appends.reduce((sum, { value }) => sum + value.length, 0) };
    const asked: AppendRequest[] = [];
    try {
      for (const append of appends) {
        await backlog.admit(append.value.length);
        asked.push(append);
      }
      await hidden.admit(load);
    } finally {
      // They take no room in the backlog yet; all that counts was whether there is any.
      for (const { value } of asked) backlog.giveBack(value.length);
    }
    return () => hidden.settled(load);
  }

  async #publishDelayed(append: AppendRequest, options: PublishOptions): Promise<PublishReceipt> {
    const settled = await this.admitHidden(append.topic, [append]);
    try {
      return await this.#store(undefined, append, options);
    } finally {
      settled();
    }
  }

  #store(
    backlog: TopicBacklog | undefined,
    append: AppendRequest,
    options: PublishOptions | undefined,
  ): Promise<PublishReceipt> {
    const { interceptors } = this.#context;
    return interceptors === undefined
      ? this.#commit(backlog, append, options)
      : this.#intercepted(interceptors, backlog, append, options);
  }

  async #intercepted(
    interceptors: InterceptorChain,
    backlog: TopicBacklog | undefined,
    plain: AppendRequest,
    options: PublishOptions | undefined,
  ): Promise<PublishReceipt> {
    const path = (options?.delayMs ?? 0) > 0 ? "delayed" : "publish";
    const { append, settle } = interceptors.outgoing(plain, path);
    try {
      const receipt = await this.#commit(backlog, append, options);
      const { duplicate, partition, offset } = receipt;
      settle(duplicate ? { kind: "duplicate" } : { kind: "stored", partition, offset });
      return receipt;
    } catch (error) {
      settle(failedOutcome(error));
      throw error;
    }
  }

  /** `backlog` is told of what it admitted. */
  #commit(
    backlog: TopicBacklog | undefined,
    append: AppendRequest,
    options: PublishOptions | undefined,
  ): Promise<PublishReceipt> {
    if (options !== undefined && (options.id !== undefined || options.claim !== undefined || options.delayMs)) {
      return this.#publishSpecial(append, options).then(
        (receipt) => {
          backlog?.settled(append.value.length, append.partition, receipt.offset);
          return receipt;
        },
        (error: unknown) => {
          backlog?.settled(append.value.length, append.partition, undefined);
          throw error;
        },
      );
    }
    return this.#context.engine.commit({ append: [append] }).then(
      (receipt) => {
        const offset = receipt.offsets[0];
        backlog?.settled(append.value.length, append.partition, offset);
        return { partition: append.partition, offset, duplicate: false };
      },
      (error: unknown) => {
        backlog?.settled(append.value.length, append.partition, undefined);
        throw error;
      },
    );
  }

  async #publishSpecial(append: AppendRequest, options: PublishOptions): Promise<PublishReceipt> {
    const { engine, instance } = this.#context;
    const put: StateWrite[] = [];
    const first =
      options.id === undefined ? undefined : firstSend(append.topic, append.partition, options.id, engine.now());
    const expect = first === undefined ? [] : [...first.expect];
    if (first !== undefined) put.push(first.put);
    const { claim } = options;
    if (claim !== undefined) {
      put.push(claim);
      expect.push({ namespace: claim.namespace, key: claim.key, is: "absent" });
    }
    const delayMs = options.delayMs ?? 0;
    const dueMs = engine.now() + delayMs;
    if (delayMs > 0) put.push(delayedEntry(append, dueMs, `${instance}-${this.#delayed++}`));
    const commit: Commit = {
      put,
      ...(expect.length === 0 ? {} : { expect }),
      ...(delayMs > 0 ? {} : { append: [append] }),
    };
    let receipt: CommitReceipt;
    try {
      receipt = await engine.commit(commit);
      if (delayMs > 0) this.#context.delayed.stored(delayNamespace(append.topic, append.partition), dueMs);
    } catch (error) {
      if (expect.length === 0 || !hasCode(error, "CONFLICT")) throw error;
      // The first send may still be on its way to the disk: this commit is durable only when that one is.
      await engine.commit({});
      return { partition: append.partition, offset: undefined, duplicate: true };
    }
    return { partition: append.partition, offset: receipt.offsets[0], duplicate: false };
  }
}

/** Throws what `keyOf` or the codec throw, INVALID_ARGUMENT for a key that is no string, MESSAGE_TOO_LARGE. */
export function appendRequest<T>(topic: Topic<T>, value: T, headers: MessageHeaders | undefined): AppendRequest {
  const key = topic.keyOf(value);
  if (typeof key !== "string")
    throw new QueueError("INVALID_ARGUMENT", `the key of a ${topic.name} message is no string`);
  const bytes = topic.codec.encode(value);
  if (bytes.length > maxMessageBytes) {
    const detail = `a ${topic.name} message of ${bytes.length} bytes; at most ${maxMessageBytes} are allowed`;
    throw new QueueError("MESSAGE_TOO_LARGE", detail);
  }
  const partition = partitionOfKey(key, topic.partitions);
  return headers === undefined
    ? { topic: topic.name, partition, key, value: bytes }
    : { topic: topic.name, partition, key, value: bytes, headers };
}

function checkTimes({ delayMs, deadlineMs, claim }: PublishOptions): void {
  checkDelayMs(delayMs);
  checkMs("deadlineMs", deadlineMs);
  checkMs("expiresAtMs of the claim", claim?.expiresAtMs);
}

function headersOf(options: PublishOptions): MessageHeaders | undefined {
  const { id, deadlineMs, replyTo, ext } = options;
  if (id === undefined && deadlineMs === undefined && replyTo === undefined && ext === undefined) return undefined;
  const headers: { -readonly [Name in keyof MessageHeaders]: MessageHeaders[Name] } = {};
  if (id !== undefined) headers.id = id;
  if (deadlineMs !== undefined) headers.deadlineMs = deadlineMs;
  if (replyTo !== undefined) headers.replyTo = replyTo;
  if (ext !== undefined) headers.ext = ext;
  return headers;
}
