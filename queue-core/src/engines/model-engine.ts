/**
 * What the engines in this process share: everything of the port that the model answers by itself.
 *
 * What can go wrong: a partition changes hands while a commit of the old owner is still on its way to disk; the
 * new owner would read offset and state from before it and decide again what was decided. Promise: a lease is
 * given only once every commit reserved before it is visible or refused.
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
} from "../engine.ts";
import type { EngineTime } from "./clock.ts";
import { checkTtl } from "./commit-rules.ts";
import type { ReadLimits } from "./message-ring.ts";
import type { Model } from "./model.ts";

export abstract class ModelEngine<Store> implements Engine {
  abstract readonly name: Engine["name"];
  abstract readonly failed: Promise<Error>;
  protected readonly model: Model<Store>;
  readonly #time: EngineTime;

  constructor(model: Model<Store>, time: EngineTime) {
    this.model = model;
    this.#time = time;
  }

  abstract declareTopics(topics: readonly TopicConfig[]): Promise<void>;
  abstract commit(commit: Commit): Promise<CommitReceipt>;
  abstract read(
    topic: string,
    partition: number,
    fromOffset: number,
    limits: ReadLimits,
  ): Promise<readonly StoredMessage[]>;
  abstract statistics(): EngineStatistics;
  abstract close(): Promise<void>;

  /** Throws CLOSED. */
  protected abstract assertOpen(): void;
  /** Resolves when no commit reserved by now is under way any more. */
  protected abstract settled(): Promise<void>;

  now(): number {
    return this.#time.now();
  }

  topic(name: string): TopicConfig | undefined {
    return this.model.topic(name);
  }

  topics(): readonly TopicConfig[] {
    return this.model.topics;
  }

  onAppend(listener: (topic: string, partition: number) => void): () => void {
    return this.model.notifier.onAppend(listener);
  }

  onStateChange(namespace: Namespace, listener: () => void): () => void {
    return this.model.notifier.onStateChange(namespace, listener);
  }

  async range(topic: string, partition: number): Promise<PartitionRange> {
    this.assertOpen();
    return this.model.range(topic, partition);
  }

  async committedOffset(ref: PartitionRef): Promise<number> {
    this.assertOpen();
    return this.model.committedOffset(ref);
  }

  async readState(namespace: Namespace, keys: readonly string[]): Promise<readonly (Buffer | undefined)[]> {
    this.assertOpen();
    const nowMs = this.now();
    return keys.map((key) => this.model.state.read(namespace, key, nowMs));
  }

  async scanState(
    namespace: Namespace,
    options: { readonly after?: string; readonly before?: string; readonly limit: number },
  ): Promise<readonly StateEntry[]> {
    this.assertOpen();
    return this.model.state.scan(namespace, options, this.now());
  }

  async countState(namespace: Namespace): Promise<number> {
    this.assertOpen();
    return this.model.state.count(namespace);
  }

  async acquireLease(ref: PartitionRef & { readonly member: string; readonly ttlMs: number }) {
    this.assertOpen();
    checkTtl(ref.ttlMs, 1);
    this.model.partition(ref.topic, ref.partition);
    const lease = this.model.leases.acquire(ref, this.now());
    if (lease === undefined) return undefined;
    // From here on the old owner's commits are refused; those that were not are waited for.
    await this.settled();
    return (await this.renewLease(lease, ref.ttlMs)) ? lease : undefined;
  }

  async renewLease(lease: Lease, ttlMs: number): Promise<boolean> {
    this.assertOpen();
    checkTtl(ttlMs, 1);
    return this.model.leases.renew(lease, ttlMs, this.now());
  }

  async releaseLease(lease: Lease): Promise<void> {
    this.assertOpen();
    this.model.leases.release(lease);
  }

  async leases(group: string, topic: string): Promise<readonly LeaseHolder[]> {
    this.assertOpen();
    return this.model.leases.holders(group, topic);
  }

  async heartbeat(group: string, member: string, ttlMs: number): Promise<void> {
    this.assertOpen();
    checkTtl(ttlMs, 0);
    this.model.leases.heartbeat(group, member, ttlMs, this.now());
  }

  async members(group: string): Promise<readonly string[]> {
    this.assertOpen();
    return this.model.leases.members(group, this.now());
  }
}
