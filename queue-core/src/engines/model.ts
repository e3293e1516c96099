/**
 * The state of a queue, shared by the engines that keep it in this process.
 *
 * A commit passes two gates, in one total order:
 *
 *     reserve   checks it against everything reserved so far, gives it sequence, time and offsets
 *        │      (an engine may now make it durable)
 *        ├─► apply              makes it visible to readers
 *        └─► dropReservations   it and every other reserved commit never happened
 *
 * What can go wrong: a commit checked only against what is visible would be given an offset twice, or create an
 * entry twice, while an earlier one is on its way to disk. Promises: offsets are consecutive, fences and
 * expectations hold in the total order, and readers see only what was applied.
 *
 * `Store` is where an engine keeps a partition's messages.
 */
import type { Commit, CommitReceipt, EngineStatistics, PartitionRange, PartitionRef, TopicConfig } from "../engine.ts";
import { QueueError } from "../errors.ts";
import { AppendNotifier } from "./append-notifier.ts";
import { checkAdvance, checkAppend, checkKey, checkRead, checkTopicConfig, checkWrite } from "./commit-rules.ts";
import { LeaseTable } from "./lease-table.ts";
import { StateStore } from "./state-store.ts";

export interface Partition<Store> {
  readonly topic: TopicConfig;
  readonly topicId: number;
  readonly index: number;
  readonly store: Store;
  /** The oldest readable offset. */
  start: number;
  /** One past the newest visible offset. */
  end: number;
  /** The offset that the next reserved message gets; `end` and whatever is under way. */
  next: number;
  /** Committed offsets by group. */
  readonly committed: Map<string, number>;
}

export interface Reservation<Store> {
  readonly commit: Commit;
  readonly receipt: CommitReceipt;
  /** The partition of each of `commit.append`. */
  readonly targets: readonly Partition<Store>[];
}

/** The next message of the partition becomes readable; a ring drops its oldest for it. */
function showNext(partition: Partition<unknown>): void {
  partition.end++;
  const ring = partition.topic.ringMessages;
  if (ring !== undefined && partition.end - partition.start > ring) partition.start = partition.end - ring;
}

interface TopicEntry<Store> {
  readonly config: TopicConfig;
  readonly partitions: readonly Partition<Store>[];
}

const nothing: readonly never[] = [];

export class Model<Store> {
  readonly notifier = new AppendNotifier();
  readonly state = new StateStore();
  readonly #now: () => number;
  readonly #createStore: () => Store;
  readonly #topics = new Map<string, TopicEntry<Store>>();
  readonly #byTopicId: TopicEntry<Store>[] = [];
  /** Of all topics: each sealed segment goes through them, and a generator of them took longer than the rest of it. */
  readonly #partitions: Partition<Store>[] = [];
  #leases = new LeaseTable(0);
  #nextSequence = 0;
  #appliedSequence = -1;
  #commits = 0;
  #messages = 0;
  #bytes = 0;

  constructor(options: { now: () => number; createStore: () => Store }) {
    this.#now = options.now;
    this.#createStore = options.createStore;
  }

  get leases(): LeaseTable {
    return this.#leases;
  }

  /**
   * After a restart has restored what was stored, before the first commit.
   * @param incarnation how often the store was opened before.
   */
  resume(restored: { incarnation: number; nextSequence: number }): void {
    this.#leases = new LeaseTable(restored.incarnation);
    this.#nextSequence = restored.nextSequence;
    this.#appliedSequence = restored.nextSequence - 1;
  }

  get topics(): readonly TopicConfig[] {
    return this.#byTopicId.map((entry) => entry.config);
  }

  topic(name: string): TopicConfig | undefined {
    return this.#topics.get(name)?.config;
  }

  /** Which of `topics` are new; throws INVALID_ARGUMENT where one contradicts itself or an earlier declaration. */
  undeclared(topics: readonly TopicConfig[]): TopicConfig[] {
    const fresh = new Map<string, TopicConfig>();
    for (const config of topics) {
      checkTopicConfig(config);
      const known = this.#topics.get(config.name)?.config ?? fresh.get(config.name);
      if (known === undefined) {
        fresh.set(config.name, {
          name: config.name,
          partitions: config.partitions,
          ...(config.ringMessages === undefined ? {} : { ringMessages: config.ringMessages }),
        });
      } else if (known.partitions !== config.partitions) {
        throw new QueueError(
          "INVALID_ARGUMENT",
          `topic ${config.name} has ${known.partitions} partitions and cannot have ${config.partitions}`,
        );
      }
    }
    return [...fresh.values()];
  }

  /** Topics are numbered in the order of their declaration, from 0. */
  addTopic(config: TopicConfig): void {
    const topicId = this.#byTopicId.length;
    const partitions = Array.from({ length: config.partitions }, (_, index) => ({
      topic: config,
      topicId,
      index,
      store: this.#createStore(),
      start: 0,
      end: 0,
      next: 0,
      committed: new Map<string, number>(),
    }));
    const entry = { config, partitions };
    this.#topics.set(config.name, entry);
    this.#byTopicId.push(entry);
    this.#partitions.push(...partitions);
  }

  partition(topic: string, partition: number): Partition<Store> {
    const found = this.#topics.get(topic)?.partitions[partition];
    if (found === undefined) throw new QueueError("UNKNOWN_TOPIC", `there is no ${topic}/${partition}`);
    return found;
  }

  partitionOfTopicId(topicId: number, partition: number): Partition<Store> | undefined {
    return this.#byTopicId[topicId]?.partitions[partition];
  }

  partitions(): readonly Partition<Store>[] {
    return this.#partitions;
  }

  /** A message that was stored before a restart; they come in the order of their offsets. */
  restoreMessage(partition: Partition<Store>): void {
    showNext(partition);
    partition.next = partition.end;
  }

  /** The group is not known to the topic any more. */
  retire(group: string, topicId: number): void {
    for (const { committed } of this.#byTopicId[topicId]?.partitions ?? nothing) committed.delete(group);
  }

  /** Throws a QueueError, and then nothing has changed. */
  reserve(commit: Commit): Reservation<Store> {
    const timeMs = this.#now();
    const targets = this.#checked(commit, timeMs);
    const sequence = this.#nextSequence++;
    const offsets = targets.length === 0 ? nothing : targets.map((target) => target.next++);
    if (commit.put !== undefined) this.state.reserve(commit.put, sequence);
    return { commit, receipt: { sequence, timeMs, offsets }, targets };
  }

  /** Throws what `reserve` would throw now. */
  check(commit: Commit): void {
    this.#checked(commit, this.#now());
  }

  /** In the order of reservation. The engine has put the messages into their stores, or does so right after. */
  apply(reservation: Reservation<Store>): void {
    const { commit, receipt, targets } = reservation;
    if (receipt.sequence !== this.#appliedSequence + 1) {
      throw new Error(`commit ${receipt.sequence} applied after ${this.#appliedSequence}`);
    }
    this.#appliedSequence = receipt.sequence;
    this.#commits++;
    if (commit.retire !== undefined) this.retire(commit.retire.group, this.partition(commit.retire.topic, 0).topicId);
    if (commit.advance !== undefined) {
      const { topic, partition, group, to } = commit.advance;
      this.partition(topic, partition).committed.set(group, to);
    }
    if (commit.put !== undefined) {
      this.state.apply(commit.put, receipt.sequence);
      for (const write of commit.put) this.notifier.written(write.namespace);
    }
    for (let index = 0; index < targets.length; index++) {
      const target = targets[index] as Partition<Store>;
      showNext(target);
      this.#messages++;
      this.#bytes += commit.append?.[index]?.value.length ?? 0;
      this.notifier.appended(target.topic.name, target.index);
    }
    this.state.sweep(receipt.timeMs);
  }

  /** Every reserved commit that was not applied never happened. */
  dropReservations(): void {
    this.#nextSequence = this.#appliedSequence + 1;
    this.state.dropReservations();
    for (const { partitions } of this.#byTopicId) {
      for (const partition of partitions) partition.next = partition.end;
    }
  }

  /** The partition, and the offset at which a read of it starts. */
  startOfRead(
    topic: string,
    partition: number,
    fromOffset: number,
    limits: { readonly maxMessages: number; readonly maxBytes?: number },
  ): { readonly found: Partition<Store>; readonly from: number } {
    checkRead(fromOffset, limits);
    const found = this.partition(topic, partition);
    return { found, from: Math.max(fromOffset, found.start) };
  }

  range(topic: string, partition: number): PartitionRange {
    const { start, end } = this.partition(topic, partition);
    return { start, end };
  }

  committedOffset(ref: PartitionRef): number {
    const { committed, start } = this.partition(ref.topic, ref.partition);
    return Math.max(committed.get(ref.group) ?? 0, start);
  }

  /** Counted since this engine was opened. */
  statistics(): Omit<EngineStatistics, "syncs"> {
    return {
      commits: this.#commits,
      messages: this.#messages,
      bytes: this.#bytes,
      stateEntries: this.state.size,
    };
  }

  #checked(commit: Commit, timeMs: number): readonly Partition<Store>[] {
    const targets = commit.append === undefined || commit.append.length === 0 ? nothing : this.#targets(commit.append);
    if (commit.put !== undefined) commit.put.forEach(checkWrite);
    if (commit.retire !== undefined) {
      checkKey(commit.retire.group, "a group");
      this.partition(commit.retire.topic, 0);
    }
    if (commit.advance !== undefined) {
      checkAdvance(commit.advance, this.partition(commit.advance.topic, commit.advance.partition).next);
    }
    if (commit.fence !== undefined && !this.leases.holds(commit.fence)) {
      const { group, topic, partition, member, epoch } = commit.fence;
      throw new QueueError("FENCED", `${member} lost ${topic}/${partition} of group ${group} held in epoch ${epoch}`);
    }
    for (const { namespace, key, is } of commit.expect ?? nothing) {
      if (this.state.isPresent(namespace, key, timeMs) === (is === "present")) continue;
      throw new QueueError("CONFLICT", `${namespace} ${key} is not ${is}`);
    }
    return targets;
  }

  #targets(append: NonNullable<Commit["append"]>): readonly Partition<Store>[] {
    return append.map((request) => {
      checkAppend(request);
      return this.partition(request.topic, request.partition);
    });
  }
}
