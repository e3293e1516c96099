/**
 * The redis engine: commits of any number of processes, in one total order, by one script of one Redis.
 *
 *     commit, leases, members, topics ─► call-lane.ts ─► call.lua        what other engines did ─► bell.ts
 *     reads of messages and state ─────► redis-reads.ts                  lost data ─► data-identity.ts
 *
 *     open ──data lost, or the script failed──► failed      everything is refused with that error
 *       └──close──► closing ──► closed
 *
 * What can go wrong: Redis goes, comes back, or comes back without what it had; each is a case of the files above.
 * Promises: the contracts of engine.ts. A commit is as durable as Redis's settings say (settings.ts tells what they
 * put at risk). Two engines' `now` differ by less than a round trip. `statistics` count what this engine did, but
 * `stateEntries` and `roundTrips.all`, which are the cell's.
 */
import type {
  Commit,
  CommitReceipt,
  Engine,
  EngineStatistics,
  Lease,
  LeaseHolder,
  Namespace,
  PartitionRange,
  PartitionRef,
  StateEntry,
  StoredMessage,
  TopicConfig,
} from "../../engine.ts";
import { QueueError } from "../../errors.ts";
import { AppendNotifier } from "../append-notifier.ts";
import {
  checkAdvance,
  checkAppend,
  checkKey,
  checkRead,
  checkTopicConfig,
  checkTtl,
  checkWrite,
} from "../commit-rules.ts";
import type { ReadLimits } from "../message-ring.ts";
import type { Bell } from "./bell.ts";
import type { CallLane } from "./call-lane.ts";
import type { Place } from "./call-writer.ts";
import type { DataIdentity, DataMark } from "./data-identity.ts";
import type { Link } from "./link.ts";
import {
  AcquireOperation,
  CommitOperation,
  DeclareOperation,
  HeartbeatOperation,
  MembersOperation,
  ReleaseOperation,
  RenewOperation,
  type StoredCommit,
} from "./operations.ts";
import type { RedisReads } from "./redis-reads.ts";
import type { RedisTime } from "./redis-time.ts";
import { inspectServer, type RedisRisk } from "./settings.ts";
import type { Upkeep } from "./upkeep.ts";
import type { MemoryUse } from "./upkeep-operations.ts";

/** Counted since the engine was opened. */
export interface RedisStatistics {
  /** Calls of the script; each carries all that waited. */
  readonly calls: number;
  /** Commands that only read. */
  readonly reads: number;
  /** Times that something went out to Redis: what goes out together counts once. */
  readonly roundTrips: number;
  /** Those of them that asked what other engines did. */
  readonly bellReads: number;
  /** Since the bell, which tells of other engines' commits, last answered; a healthy one does at least every 2 s. */
  readonly silentMs: number;
  /** Calls and reads without an answer yet. */
  readonly underWay: number;
  /** As it was a second ago; zeros until then. */
  readonly memory: MemoryUse;
}

/** An engine on Redis, and what only Redis has. */
export interface RedisEngine extends Engine {
  /** To be kept outside of Redis and handed in as `atLeast` at the next start. */
  readonly mark: DataMark;
  redisStatistics(): RedisStatistics;
  /** What Redis's settings put at risk, asked anew; empty where all is as recommended. Rejects with UNREACHABLE. */
  risks(): Promise<readonly RedisRisk[]>;
}

export interface RedisEngineParts {
  readonly lane: CallLane;
  readonly reads: RedisReads;
  readonly link: Link;
  readonly identity: DataIdentity;
  readonly time: RedisTime;
  readonly failed: Promise<Error>;
  readonly upkeep: Upkeep;
}

/** Where Redis is gone, nobody waits for it longer than that to close. */
const closeWithinMs = 2_000;

const nothing: readonly never[] = [];

export class OpenRedisEngine implements RedisEngine {
  readonly name = "redis";
  readonly failed: Promise<Error>;
  readonly #parts: RedisEngineParts;
  readonly #notifier = new AppendNotifier();
  #topics = new Map<string, TopicConfig>();
  /** Leases of this engine, to be released when it closes. */
  readonly #held = new Map<string, Lease>();
  #bell: Bell | undefined;
  #mode: "open" | "closed" = "open";
  #closing: Promise<void> | undefined;
  #commits = 0;
  #messages = 0;
  #bytes = 0;

  constructor(parts: RedisEngineParts) {
    this.#parts = parts;
    this.failed = parts.failed;
  }

  /** Before anybody uses it. */
  async begin(startBell: (engine: OpenRedisEngine) => Bell): Promise<void> {
    await this.loadTopics();
    this.#bell = startBell(this);
    this.#parts.upkeep.start();
  }

  get mark(): DataMark {
    return this.#parts.identity.mark;
  }

  get notifier(): AppendNotifier {
    return this.#notifier;
  }

  now(): number {
    return this.#parts.time.now();
  }

  topic(name: string): TopicConfig | undefined {
    return this.#topics.get(name);
  }

  topics(): readonly TopicConfig[] {
    return [...this.#topics.values()];
  }

  async declareTopics(topics: readonly TopicConfig[]): Promise<void> {
    this.#assertOpen();
    for (const topic of topics) checkTopicConfig(topic);
    if (topics.length === 0) return;
    const declared = await this.#parts.lane.push(new DeclareOperation(topics)).promise;
    for (const topic of declared) this.#topics.set(topic.name, topic);
  }

  /** Another engine declared some. */
  async loadTopics(): Promise<void> {
    const topics = await this.#parts.reads.topics();
    this.#topics = new Map(topics.map((topic) => [topic.name, topic]));
  }

  async commit(commit: Commit): Promise<CommitReceipt> {
    this.#assertOpen();
    checkCommit(commit);
    const findPlace = (topic: string, partition: number) => this.#place(topic, partition);
    const operation = new CommitOperation(commit, findPlace, (stored) => this.#onStored(stored));
    return this.#parts.lane.push(operation).promise;
  }

  async read(
    topic: string,
    partition: number,
    fromOffset: number,
    limits: ReadLimits,
  ): Promise<readonly StoredMessage[]> {
    this.#assertOpen();
    checkRead(fromOffset, limits);
    this.#place(topic, partition);
    return this.#parts.reads.messages(topic, partition, fromOffset, limits);
  }

  async range(topic: string, partition: number): Promise<PartitionRange> {
    this.#assertOpen();
    this.#place(topic, partition);
    return this.#parts.reads.range(this.#topics.get(topic) as TopicConfig, partition);
  }

  async committedOffset(ref: PartitionRef): Promise<number> {
    this.#assertOpen();
    this.#place(ref.topic, ref.partition);
    return this.#parts.reads.committedOffset(this.#topics.get(ref.topic) as TopicConfig, ref);
  }

  onAppend(listener: (topic: string, partition: number) => void): () => void {
    return this.#notifier.onAppend(listener);
  }

  onStateChange(namespace: Namespace, listener: () => void): () => void {
    return this.#notifier.onStateChange(namespace, listener);
  }

  async readState(namespace: Namespace, keys: readonly string[]): Promise<readonly (Buffer | undefined)[]> {
    this.#assertOpen();
    return this.#parts.reads.state(namespace, keys, this.now());
  }

  async scanState(
    namespace: Namespace,
    options: { readonly after?: string; readonly before?: string; readonly limit: number },
  ): Promise<readonly StateEntry[]> {
    this.#assertOpen();
    return this.#parts.reads.scan(namespace, options, this.now());
  }

  async countState(namespace: Namespace): Promise<number> {
    this.#assertOpen();
    return this.#parts.reads.count(namespace);
  }

  async acquireLease(ref: PartitionRef & { readonly member: string; readonly ttlMs: number }) {
    this.#assertOpen();
    checkTtl(ref.ttlMs, 1);
    this.#place(ref.topic, ref.partition);
    const lease = await this.#parts.lane.push(new AcquireOperation(ref)).promise;
    if (lease !== undefined) this.#held.set(heldKey(lease), lease);
    return lease;
  }

  async renewLease(lease: Lease, ttlMs: number): Promise<boolean> {
    this.#assertOpen();
    checkTtl(ttlMs, 1);
    const isKept = await this.#parts.lane.push(new RenewOperation(lease, ttlMs)).promise;
    if (!isKept) this.#letGo(lease);
    return isKept;
  }

  async releaseLease(lease: Lease): Promise<void> {
    this.#assertOpen();
    this.#letGo(lease);
    await this.#parts.lane.push(new ReleaseOperation(lease)).promise;
  }

  async leases(group: string, topic: string): Promise<readonly LeaseHolder[]> {
    this.#assertOpen();
    return this.#parts.reads.leases(group, topic);
  }

  async heartbeat(group: string, member: string, ttlMs: number): Promise<void> {
    this.#assertOpen();
    checkTtl(ttlMs, 0);
    await this.#parts.lane.push(new HeartbeatOperation({ group, name: member, ttlMs })).promise;
  }

  async members(group: string): Promise<readonly string[]> {
    this.#assertOpen();
    return this.#parts.lane.push(new MembersOperation(group)).promise;
  }

  statistics(): EngineStatistics {
    const { stored, entries } = this.#parts.lane;
    return {
      commits: this.#commits,
      messages: this.#messages,
      bytes: this.#bytes,
      syncs: stored,
      stateEntries: entries,
      roundTrips: { own: this.roundTrips, all: this.#parts.upkeep.allRoundTrips },
    };
  }

  get roundTrips(): number {
    return this.#parts.link.roundTrips + (this.#bell?.roundTrips ?? 0);
  }

  redisStatistics(): RedisStatistics {
    const { lane, reads, upkeep } = this.#parts;
    return {
      calls: lane.calls,
      reads: reads.reads,
      roundTrips: this.roundTrips,
      bellReads: this.#bell?.roundTrips ?? 0,
      silentMs: this.#bell?.silentMs ?? 0,
      memory: upkeep.memory,
      underWay: reads.underWay + (lane.isBusy ? 1 : 0),
    };
  }

  async risks(): Promise<readonly RedisRisk[]> {
    this.#assertOpen();
    const { link } = this.#parts;
    const client = await link.up(0);
    if (client === undefined) throw new QueueError("UNREACHABLE", `Redis cannot be reached: ${link.fault}`);
    return inspectServer(client);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Messages came there, of this engine or another. */
  appended(topic: string, partition: number): void {
    this.#parts.reads.appended(topic, partition);
    this.#notifier.appended(topic, partition);
  }

  /** Something may have happened anywhere. */
  everything(): void {
    this.#parts.reads.appendedAnywhere();
    for (const { name, partitions } of this.#topics.values()) {
      for (let partition = 0; partition < partitions; partition++) this.#notifier.appended(name, partition);
    }
    this.#notifier.writtenAnywhere();
  }

  async #close(): Promise<void> {
    this.#mode = "closed";
    const { lane, link, upkeep } = this.#parts;
    upkeep.stop();
    lane.hurry(closeWithinMs);
    const released = [...this.#held.values()].map((lease) => lane.push(new ReleaseOperation(lease)).promise);
    // Where Redis is gone they run out by themselves.
    await Promise.allSettled(released);
    await lane.idle();
    lane.end(new QueueError("CLOSED"));
    this.#notifier.clear();
    await this.#bell?.close();
    link.close();
  }

  #onStored({ commit }: StoredCommit): void {
    this.#commits++;
    for (const { topic, partition, value } of commit.append ?? nothing) {
      this.#messages++;
      this.#bytes += value.length;
      this.appended(topic, partition);
    }
    for (const { namespace } of commit.put ?? nothing) this.#notifier.written(namespace);
  }

  #letGo(lease: Lease): void {
    if (this.#held.get(heldKey(lease))?.epoch === lease.epoch) this.#held.delete(heldKey(lease));
  }

  #place(topic: string, partition: number): Place {
    const config = this.#topics.get(topic);
    if (config === undefined || !Number.isInteger(partition) || partition < 0 || partition >= config.partitions) {
      throw new QueueError("UNKNOWN_TOPIC", `there is no ${topic}/${partition}`);
    }
    return { topic, partition, ring: config.ringMessages ?? 0 };
  }

  #assertOpen(): void {
    if (this.#mode === "closed") throw new QueueError("CLOSED");
  }
}

/** What can be told without asking Redis. */
function checkCommit({ append, put, retire, advance }: Commit): void {
  append?.forEach(checkAppend);
  put?.forEach(checkWrite);
  if (retire !== undefined) checkKey(retire.group, "a group");
  if (advance !== undefined) checkAdvance(advance, Number.MAX_SAFE_INTEGER);
}

const heldKey = ({ group, topic, partition }: Lease): string => `${partition} ${topic} ${group}`;
