/**
 * The memory engine: the reference model of the port, for tests and simulation.
 *
 * What can go wrong: nothing survives the process, and memory grows with every message that no ring drops.
 * Promise: the same contracts as every other engine; a commit is visible when its promise resolves.
 */
import type {
  AppendRequest,
  Commit,
  CommitReceipt,
  Engine,
  EngineStatistics,
  StoredMessage,
  TopicConfig,
} from "../engine.ts";
import { QueueError } from "../errors.ts";
import { type Clock, EngineTime, systemClock } from "./clock.ts";
import { MessageRing, type ReadLimits } from "./message-ring.ts";
import { Model, type Partition, type Reservation } from "./model.ts";
import { ModelEngine } from "./model-engine.ts";

/** How a memory engine is made. */
export interface MemoryEngineOptions {
  /** Default: the system's clock. */
  readonly clock?: Clock;
}

/** An engine that keeps everything in this process and forgets it with it: for tests and simulation. */
export function createMemoryEngine(options: MemoryEngineOptions = {}): Engine {
  return new MemoryEngine(new EngineTime(options.clock ?? systemClock));
}

class MemoryEngine extends ModelEngine<MessageRing> {
  readonly name = "memory";
  readonly failed = new Promise<never>(() => {});
  #closed = false;

  constructor(time: EngineTime) {
    super(new Model({ now: () => time.now(), createStore: () => new MessageRing() }), time);
  }

  async declareTopics(topics: readonly TopicConfig[]): Promise<void> {
    this.assertOpen();
    for (const config of this.model.undeclared(topics)) this.model.addTopic(config);
  }

  async commit(commit: Commit): Promise<CommitReceipt> {
    this.assertOpen();
    const reservation = this.model.reserve(commit);
    this.model.apply(reservation);
    keepMessages(reservation);
    return reservation.receipt;
  }

  async read(
    topic: string,
    partition: number,
    fromOffset: number,
    limits: ReadLimits,
  ): Promise<readonly StoredMessage[]> {
    this.assertOpen();
    const { found, from } = this.model.startOfRead(topic, partition, fromOffset, limits);
    return found.store.read(from, found.end, limits);
  }

  statistics(): EngineStatistics {
    return { ...this.model.statistics(), syncs: 0 };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.model.notifier.clear();
  }

  protected assertOpen(): void {
    if (this.#closed) throw new QueueError("CLOSED");
  }

  protected async settled(): Promise<void> {}
}

function keepMessages({ commit, receipt, targets }: Reservation<MessageRing>): void {
  const append: readonly AppendRequest[] = commit.append ?? [];
  append.forEach(({ key, value, headers = {} }, index) => {
    const partition = targets[index] as Partition<MessageRing>;
    partition.store.push({
      topic: partition.topic.name,
      partition: partition.index,
      offset: receipt.offsets[index] as number,
      timestampMs: receipt.timeMs,
      key,
      value,
      headers,
    });
    partition.store.dropBefore(partition.start);
  });
}
