/**
 * The engine port: what a store must do so that everything else in queue-core can be built above it.
 *
 * One idea: **a commit is atomic.** It may move a group's offset, change keyed state and append messages to
 * any topics; all of it is stored, or none of it, and only by the current owner of the partition.
 *
 * Contracts, each with a conformance test that runs on every engine:
 * - `commit` resolves when the commit is as durable as the engine promises, and is visible to readers only then.
 * - Commits of one engine take effect in one total order: that of `CommitReceipt.sequence`.
 * - A commit whose fence is stale is refused whole with `FENCED`.
 * - A commit one of whose expectations fails is refused whole with `CONFLICT`.
 * - Offsets of a partition are consecutive, starting at 0. Old messages may go (a ring, retention): reads then start
 *   at the oldest that is left, and a committed offset never lies below it.
 * - A group is known from its first `advance` on a topic until it is retired. Retention drops no message from the
 *   lowest committed offset of a known group on; a partition that it never advanced counts with offset 0.
 * - `now` never goes backwards, and is milliseconds since the Unix epoch.
 * - Buffers passed in belong to the engine from then on, and buffers handed out to all readers: nobody changes them.
 */

/** Where state entries live: one namespace has one writer at a time. E.g. `stock/stock-commands/3`. */
export type Namespace = string;

/** A topic as an engine knows it: names, counts, no types. */
export interface TopicConfig {
  readonly name: string;
  /** Fixed for the life of the log; 1 to 1024. */
  readonly partitions: number;
  /** A ring keeps only this many newest messages a partition readable; older ones are dropped (replies). */
  readonly ringMessages?: number;
}

/** What travels with a message besides key and value. */
export interface MessageHeaders {
  /** Id by which a publisher repeats its own send; duplicates inside the window are recognised. */
  readonly id?: string;
  /** Engine time after which the message's work counts as abandoned, ms since epoch. */
  readonly deadlineMs?: number;
  /** Where an answer goes: a partition of the `replies` topic and the asker's correlation id. */
  readonly replyTo?: ReplyAddress;
  /** Free headers for interceptors and applications. */
  readonly ext?: Readonly<Record<string, string>>;
}

/** Where the answer to a message is to be sent. */
export interface ReplyAddress {
  readonly topic: string;
  readonly partition: number;
  readonly correlationId: string;
}

/** A message to be stored by a commit. Its partition is chosen already; its offset comes with the receipt. */
export interface AppendRequest {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly value: Buffer;
  readonly headers?: MessageHeaders;
}

/** A message as it was stored: bytes, not yet decoded. */
export interface StoredMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Engine time of the commit, ms since epoch. */
  readonly timestampMs: number;
  readonly key: string;
  readonly value: Buffer;
  readonly headers: MessageHeaders;
}

/** Puts or deletes one state entry. */
export interface StateWrite {
  readonly namespace: Namespace;
  readonly key: string;
  /** `null` deletes. */
  readonly value: Buffer | null;
  /** Engine time from which on the entry reads as absent. Omitted: it stays. */
  readonly expiresAtMs?: number;
}

/** What must hold of an entry, at the commit's place in the total order, for the commit to take effect. */
export interface StateExpectation {
  readonly namespace: Namespace;
  readonly key: string;
  readonly is: "present" | "absent";
}

/** One group on one partition: what is leased, and what has a committed offset. */
export interface PartitionRef {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
}

/** The right of one member to commit for its group on a partition, until it expires and somebody else takes it. */
export interface Lease extends PartitionRef {
  readonly member: string;
  /** Grows with each change of owner, also across restarts. A commit carries it as its fence. */
  readonly epoch: number;
}

/** Who has a partition, as a look at the leases finds it. */
export interface LeaseHolder {
  readonly partition: number;
  /** Of the last one who had it. */
  readonly epoch: number;
  /** Undefined where it was released. */
  readonly member: string | undefined;
  /** Engine time, ms. One that ran out still holds until somebody acquires it. */
  readonly expiresAtMs: number;
}

/** Everything that takes effect together, or not at all. All parts are optional; an empty commit orders and syncs. */
export interface Commit {
  /**
   * Omitted: an entry publish or a commit guarded by expectations alone. A lease that ran out still holds until
   * somebody else (or the same member again) acquires it, or it is released.
   */
  readonly fence?: Lease;
  /** Sets the committed offset (the next one to read) of the group on that partition; at most the partition's end. */
  readonly advance?: PartitionRef & { readonly to: number };
  /** Removes the group's committed offsets on all partitions of the topic; before `advance` takes effect. */
  readonly retire?: { readonly group: string; readonly topic: string };
  readonly expect?: readonly StateExpectation[];
  readonly put?: readonly StateWrite[];
  readonly append?: readonly AppendRequest[];
}

/** What a commit that took effect was given. */
export interface CommitReceipt {
  /** Position in the engine's total order of commits. */
  readonly sequence: number;
  /** Engine time of the commit, ms since epoch. */
  readonly timeMs: number;
  /** The offset given to each of `append`, in the same order. */
  readonly offsets: readonly number[];
}

/** The offsets that can be read: from `start` to before `end`. */
export interface PartitionRange {
  /** The oldest readable offset. */
  readonly start: number;
  /** One past the newest visible offset. */
  readonly end: number;
}

/** One live entry, as a scan finds it. */
export interface StateEntry {
  readonly key: string;
  readonly value: Buffer;
}

/** Counted since the engine was opened; `stateEntries` are those kept now. */
export interface EngineStatistics {
  readonly commits: number;
  readonly messages: number;
  readonly bytes: number;
  /** Physical syncs; one may carry many commits. */
  readonly syncs: number;
  readonly stateEntries: number;
  /** Only where a wire lies between engine and store. What goes out together is one round trip. */
  readonly roundTrips?: {
    /** Of this engine. */
    readonly own: number;
    /** Of all engines that ever were on these data, as of about a second ago. */
    readonly all: number;
  };
}

/**
 * A store of topics, offsets, state and leases. Its contracts stand at the head of engine.ts; the suite in
 * conformance/ proves them of every engine. Calls that return a promise reject with CLOSED once it is closed.
 */
export interface Engine {
  readonly name: "memory" | "log" | "redis";

  /** Engine time in ms since the Unix epoch; never goes backwards. */
  now(): number;

  /**
   * Declares topics. Declaring one again with the same partition count is a no-op (its ring stays as it was), with
   * another: INVALID_ARGUMENT.
   */
  declareTopics(topics: readonly TopicConfig[]): Promise<void>;
  topic(name: string): TopicConfig | undefined;
  topics(): readonly TopicConfig[];

  /**
   * Rejects with FENCED, CONFLICT, INVALID_ARGUMENT, UNKNOWN_TOPIC, MESSAGE_TOO_LARGE, STORAGE_FULL or STORAGE_FAILED.
   */
  commit(commit: Commit): Promise<CommitReceipt>;

  /**
   * Up to `maxMessages` messages from `fromOffset` on; empty when there are none yet. Starts at the oldest
   * readable offset when `fromOffset` is older. Returns at least one message when there is one, even above
   * `maxBytes`.
   */
  read(
    topic: string,
    partition: number,
    fromOffset: number,
    limits: { readonly maxMessages: number; readonly maxBytes?: number },
  ): Promise<readonly StoredMessage[]>;

  range(topic: string, partition: number): Promise<PartitionRange>;
  /** The next one to read; for a group that never advanced, the oldest readable one. */
  committedOffset(ref: PartitionRef): Promise<number>;

  /** Calls the listener after messages became visible in that partition. Returns how to stop. */
  onAppend(listener: (topic: string, partition: number) => void): () => void;
  /** Calls the listener after a commit wrote state in a namespace. Returns how to stop. */
  onStateChange(namespace: Namespace, listener: () => void): () => void;

  readState(namespace: Namespace, keys: readonly string[]): Promise<readonly (Buffer | undefined)[]>;
  /** Live entries in key order (by UTF-16 code units), those with `after` < key, and key < `before` where given. */
  scanState(
    namespace: Namespace,
    options: { readonly after?: string; readonly before?: string; readonly limit: number },
  ): Promise<readonly StateEntry[]>;

  /** How many entries the namespace has; expired ones that were not freed yet may be among them. */
  countState(namespace: Namespace): Promise<number>;

  /**
   * The lease when the partition is free, expired or already the member's (then renewed); otherwise undefined.
   * Resolves once every commit that a former owner had under way is visible or refused.
   */
  acquireLease(ref: PartitionRef & { readonly member: string; readonly ttlMs: number }): Promise<Lease | undefined>;
  /** False when the lease was lost. */
  renewLease(lease: Lease, ttlMs: number): Promise<boolean>;
  releaseLease(lease: Lease): Promise<void>;
  /** Of the partitions that anybody of the group ever had since the store was opened, in their order. */
  leases(group: string, topic: string): Promise<readonly LeaseHolder[]>;
  /** Tells that the member is alive for `ttlMs`; 0 leaves the group. */
  heartbeat(group: string, member: string, ttlMs: number): Promise<void>;
  /** Live members of the group, sorted. */
  members(group: string): Promise<readonly string[]>;

  statistics(): EngineStatistics;

  /** Resolves with the reason once the engine can store nothing any more (a failed sync); the process should end. */
  readonly failed: Promise<Error>;

  /** Waits for commits under way, then releases every handle and lock. */
  close(): Promise<void>;
}
