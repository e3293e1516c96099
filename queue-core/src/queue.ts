/**
 * What applications see of queue-core. `openQueue` (open-queue.ts) returns a `Queue` over any engine.
 */
import type { Engine, MessageHeaders, ReplyAddress } from "./engine.ts";
import type { Topic } from "./topic.ts";

/** A message as a handler gets it. */
export interface Message<T> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Engine time of the commit that stored it, ms since epoch. */
  readonly timestampMs: number;
  readonly key: string;
  readonly headers: MessageHeaders;
  readonly value: T;
  /** 1 on the first delivery to this group's handler in this process. */
  readonly attempt: number;
}

/** How a message is published; times are ms. */
export interface PublishOptions {
  /** Recognise a repeat of this send inside the topic's window of 10 minutes; the repeat resolves `duplicate: true`. */
  readonly id?: string;
  /**
   * An entry for all to read that this message files in the very commit that stores it. Where somebody filed it
   * before, nothing is stored and the publish resolves `duplicate: true`.
   */
  readonly claim?: EntryClaim;
  readonly deadlineMs?: number;
  /** Deliver not before this many ms from now (engine time). */
  readonly delayMs?: number;
  readonly replyTo?: ReplyAddress;
  readonly ext?: Readonly<Record<string, string>>;
}

/** An entry of the application's own; its namespace is a name as a topic's. */
export interface EntryClaim {
  readonly namespace: string;
  readonly key: string;
  readonly value: Buffer;
  /** Engine time from which on it reads as absent. */
  readonly expiresAtMs: number;
}

/** Where a message was stored. */
export interface PublishReceipt {
  readonly partition: number;
  /** Undefined for a delayed message (it has no offset yet) and for a recognised duplicate. */
  readonly offset: number | undefined;
  readonly duplicate: boolean;
}

// --- consume: at least once, for work with outside effects -------------------------------------------------

/** What became of a message: returned by the handler of `consume`. */
export type Outcome =
  | { readonly kind: "done" }
  /** Try again after `afterMs` (default: exponential backoff with jitter); spends an attempt; holds its key back. */
  | { readonly kind: "retry"; readonly afterMs?: number; readonly error?: unknown }
  /** To the dead letters now. */
  | { readonly kind: "dead"; readonly reason: string }
  /** A dependency is down: the whole partition backs off, no attempt is spent. */
  | { readonly kind: "pause"; readonly afterMs?: number };

/** The message is dealt with; the offset may pass it. */
export const done: Outcome = { kind: "done" };
/** To be tried again after `afterMs` (default: exponential backoff with jitter). Spends an attempt. */
export const retry = (options: { afterMs?: number; error?: unknown } = {}): Outcome => ({ kind: "retry", ...options });
/** To the dead letters now, with this reason. */
export const dead = (reason: string): Outcome => ({ kind: "dead", reason });
/** A dependency is down: the partition rests for `afterMs` (default: a growing wait), and no attempt is spent. */
export const pause = (options: { afterMs?: number } = {}): Outcome => ({ kind: "pause", ...options });

/** What a member of a consuming group is made of; times are ms. */
export interface ConsumeOptions<T> {
  readonly group: string;
  readonly topic: Topic<T>;
  /**
   * Messages of one partition, in order; at most `maxBatch`. Returns one outcome per message, in the same
   * order, or one for all. A throw is `retry` for all. Messages of one key are never in two running batches.
   */
  handle(batch: readonly Message<T>[], signal: AbortSignal): Promise<readonly Outcome[] | Outcome>;
  /** Default 1. */
  readonly maxBatch?: number;
  /**
   * How long a batch that is not full waits for more messages, ms; default 0. Work that costs much per batch and
   * little per message (a database transaction) then keeps up with a spike at a fraction of the cost.
   */
  readonly lingerMs?: number;
  /**
   * How long it waits at most, ms; default `lingerMs`. Above that it waits 20 ms for each message of the batch before:
   * a trickle is handled as soon as ever, and of a flood of more than 50 a second fewer and larger batches are made.
   */
  readonly lingerMaxMs?: number;
  /** Running batches per partition, default 1. */
  readonly concurrency?: number;
  /** Deliveries by one owner of the partition before a message goes to the dead letters, default 16. */
  readonly maxAttempts?: number;
  /**
   * How far a partition is read beyond the first message that is not through: so many of other keys go on while one
   * waits for its retry. Default 1,024, or four times `maxBatch` × `concurrency` where that is more.
   */
  readonly windowMessages?: number;
  /** The same bound in bytes of values, default 32 MiB. One message always fits. */
  readonly windowBytes?: number;
  /**
   * Where this group keeps its own offsets (in the same database transaction as its effects): asked when a
   * partition is taken over. The queue's committed offset then only follows, for lag and retention. Such a group
   * gets the whole partition, not only each key, in offset order: a later message never overtakes a failed one.
   */
  readonly startOffset?: (partition: number) => Promise<number>;
  /** What people call it; default: a random id. Two members of one name are still two. */
  readonly member?: string;
  readonly leaseMs?: number;
}

// --- process: exactly once, for decisions ------------------------------------------------------------------

/** Entries as they are at this point of the batch: earlier decisions of the same batch are visible. */
export interface StateReader {
  /** Throws INVALID_ARGUMENT for a key that `keys(message)` did not declare. The value must not be mutated. */
  get<V>(key: string): V | undefined;
}

/** A message that a decision sends on, stored in the same commit. Made by `emit`. */
export interface Emission {
  readonly topic: Topic<never>;
  readonly value: unknown;
  readonly delayMs?: number;
  /** Whom the next stage answers: a stage that passes a request on hands the asker's address on with it. */
  readonly replyTo?: ReplyAddress;
}

/** Type-checked emission: `emit(topic, value)`. */
export function emit<T>(
  topic: Topic<T>,
  value: T,
  options: { readonly delayMs?: number; readonly replyTo?: ReplyAddress } = {},
): Emission {
  return { topic: topic as unknown as Topic<never>, value, ...options };
}

/** A change of one state entry by a decision. */
export interface EntryWrite {
  readonly key: string;
  /** `null` deletes. Stored as JSON. */
  readonly value: unknown | null;
  readonly expiresAfterMs?: number;
}

/** Everything one message changes; committed together with its offset, or not at all. */
export interface Decision {
  readonly writes?: readonly EntryWrite[];
  readonly emit?: readonly Emission[];
  /** Goes to the message's `replyTo`, or to `replyTo` here; dropped when there is none. */
  readonly reply?: unknown;
  readonly replyTo?: ReplyAddress;
}

/** What `decide` may know besides message and state. */
export interface DecideContext<Facts> {
  /** What `prepare` gathered; undefined when it failed or missed its budget. */
  readonly facts: Facts | undefined;
  /** Engine time, ms since epoch; one value for the whole batch. */
  readonly nowMs: number;
}

/** What a member of a deciding group is made of; times are ms. */
export interface ProcessOptions<T, Facts = undefined> {
  readonly group: string;
  readonly topic: Topic<T>;
  /** Every entry that `decide` may read. */
  keys(value: T): readonly string[];
  /** Gathers outside facts for the whole batch at once; late or failed: `decide` runs without. */
  readonly prepare?: {
    readonly budgetMs: number;
    gather(batch: readonly Message<T>[], signal: AbortSignal): Promise<Facts>;
  };
  /** Pure: no I/O, no clock, no randomness. */
  decide(message: Message<T>, state: StateReader, context: DecideContext<Facts>): Decision;
  /** What a message leaves behind when `decide` throws for it alone; the message goes to the dead letters too. */
  poison?(message: Message<T>, error: unknown, state: StateReader, context: DecideContext<Facts>): Decision;
  /**
   * Paces the stage: called with a batch before it is decided, awaited; may trim it by returning how many of
   * its messages to take now (at least 1).
   */
  pace?(batch: readonly Message<T>[], signal: AbortSignal): Promise<number>;
  /** Default 256. */
  readonly maxBatch?: number;
  readonly member?: string;
  readonly leaseMs?: number;
}

/** Counted since the member joined; `partitions` are those it owns now. */
export interface MemberStatistics {
  readonly member: string;
  readonly partitions: readonly number[];
  readonly handled: number;
  readonly retried: number;
  readonly deadLettered: number;
  readonly batches: number;
  /** Passed by without work because the message's deadline was over (`consume` only). */
  readonly expired: number;
}

/** A member of a group in this process: it reads the partitions that it leases until it is stopped. */
export interface GroupMember {
  readonly group: string;
  readonly member: string;
  statistics(): MemberStatistics;
  /** Stops fetching, lets handlers finish up to `graceMs` (default 5,000), then aborts them; releases leases. */
  stop(options?: { graceMs?: number }): Promise<void>;
  /** Stops as a killed process would: leases stay until they expire. */
  kill(): void;
}

// --- request/reply -----------------------------------------------------------------------------------------

/** Asks and waits for answers. Made by `queue.requester()`. */
export interface Requester {
  readonly address: { readonly topic: string; readonly partition: number };
  /**
   * Publishes with `replyTo` and waits. `published` settles as `publish` does. `reply` settles exactly once: a
   * reply, REPLY_TIMEOUT after `timeoutMs`, or the publish error. Late, foreign and duplicate replies are
   * dropped and counted.
   */
  send<T, R>(
    topic: Topic<T>,
    value: T,
    options: { timeoutMs: number } & Omit<PublishOptions, "replyTo">,
  ): { readonly published: Promise<PublishReceipt>; readonly reply: Promise<R> };
  statistics(): { readonly waiting: number; readonly late: number; readonly foreign: number };
  stop(): Promise<void>;
}

// --- half messages -----------------------------------------------------------------------------------------

/** What became of a sender's local transaction, as far as it knows. */
export type LocalTransactionState = "commit" | "rollback" | "unknown";

/** A message that is stored and not yet visible, as a check-back sees it. Times are engine time, ms since epoch. */
export interface HalfMessage<T> {
  readonly id: string;
  readonly value: T;
  readonly storedAtMs: number;
  readonly checks: number;
}

/** Publishes together with a local transaction. Made by `queue.transactional()`. */
export interface TransactionalPublisher<T> {
  /**
   * Stores the values invisibly in one commit, runs the local transaction, then makes them visible or drops
   * them by its answer, and resolves with it. A throw is reported and resolves "unknown", as that answer does: the
   * messages are not visible yet, and the check-back decides later, by any instance of the group.
   * Rejects with HALF_ROLLED_BACK where a check-back rolled back first; the caller answers by publishing anew.
   */
  publish(values: readonly T[], localTransaction: () => Promise<LocalTransactionState>): Promise<LocalTransactionState>;
  stop(): Promise<void>;
}

// --- token bucket ------------------------------------------------------------------------------------------

/** A bounded number of tokens, fed at a fixed rate. Made by `createTokenBucket`. */
export interface TokenBucket {
  /** Never waits. `retryAfterMs` estimates when `count` tokens will be there. Throws INVALID_ARGUMENT for a bad count. */
  take(count?: number): { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number };
  configure(settings: { ratePerSecond: number; burst: number }): void;
}

// --- the queue ---------------------------------------------------------------------------------------------

/** A view of the entries that a `process` group keeps. */
export interface StateView {
  /** One entry; the namespace follows from the key of the message that the stage files it under. */
  get<V>(partitionKey: string, entryKey: string): Promise<V | undefined>;
  getMany<V>(partitionKey: string, entryKeys: readonly string[]): Promise<readonly (V | undefined)[]>;
}

/** Where a group stands on one partition. Offsets. */
export interface PartitionStatistics {
  readonly partition: number;
  readonly start: number;
  readonly end: number;
  readonly committed: number;
  /** end - committed. */
  readonly lagMessages: number;
  readonly owner: string | undefined;
}

/** A message that a group gave up on, and why. */
export interface DeadLetter<T> {
  readonly group: string;
  /** Its value is undefined where the bytes could not be decoded; a half message has no offset yet: -1. */
  readonly message: Message<T | undefined>;
  /** The value as it was stored. */
  readonly bytes: Buffer;
  readonly reason: string;
  readonly history: readonly { readonly atMs: number; readonly error: string }[];
}

/**
 * An open queue: everything that an application does. Every call rejects with CLOSED once it is stopped, and with
 * UNKNOWN_TOPIC for a topic that was not given to `openQueue`, unless it says otherwise.
 */
export interface Queue {
  readonly engine: Engine;
  /** Engine time, ms since epoch. */
  now(): number;

  /**
   * Resolves when the message is as durable as the engine promises. Rejects with a QueueError; OVERLOADED when
   * the topic's slowest group is more than `backlog` behind, or so many of its messages are delayed or half.
   */
  publish<T>(topic: Topic<T>, value: T, options?: PublishOptions): Promise<PublishReceipt>;
  consume<T>(options: ConsumeOptions<T>): Promise<GroupMember>;
  process<T, Facts = undefined>(options: ProcessOptions<T, Facts>): Promise<GroupMember>;
  /** Leases a partition of the `replies` topic and reads it from its tail. */
  requester(): Promise<Requester>;
  transactional<T>(options: {
    group: string;
    topic: Topic<T>;
    /**
     * Asked for half messages older than `checkAfterMs` whose sender gave no answer. "rollback" is true only where the
     * transaction can no longer commit: it ended, or what it would write was made impossible (a row of the same key).
     * While it may still run: "unknown". A throw is no answer and spends no check.
     */
    checkBack: (half: HalfMessage<T>) => Promise<LocalTransactionState>;
    /** Age at which a half message is first asked about; default 6,000 as in RocketMQ. */
    checkAfterMs?: number;
    /** Between one "unknown" and the next question; default 60,000 as in RocketMQ. */
    checkEveryMs?: number;
    /** Times "unknown" before a half message is dead-lettered, default 15 as in RocketMQ. */
    maxChecks?: number;
    /**
     * "unbounded" for a stage that passes on what its group reads: it is never refused with OVERLOADED, or a reader of
     * this topic that is down would hold it up. Default "bounded", as for every publish from outside.
     */
    backlog?: "bounded" | "unbounded";
  }): Promise<TransactionalPublisher<T>>;
  state(group: string, topic: Topic<never> | Topic<unknown>): StateView;

  /** Reads without a group: for audits, tools and the control room. */
  browse<T>(topic: Topic<T>, partition: number, fromOffset: number, limit: number): Promise<readonly Message<T>[]>;
  /** The end offset of the topic's partitions and what the group committed there; cheap enough for each second. */
  groupStatistics(group: string, topic: Topic<never> | Topic<unknown>): Promise<readonly PartitionStatistics[]>;
  deadLetters<T>(group: string, topic: Topic<T>, limit: number): Promise<readonly DeadLetter<T>[]>;
  /**
   * Publishes a group's dead letters again to their topic; resolves with how many. A half message becomes one again:
   * `checkBack` is asked before anybody reads it.
   */
  redrive<T>(group: string, topic: Topic<T>): Promise<number>;

  /** Stops members, requesters and the engine, in that order. */
  stop(): Promise<void>;
}
