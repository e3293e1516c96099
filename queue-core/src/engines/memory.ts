/**
 * The memory engine: the reference model of the port, for tests and simulation.
 *
 * What can go wrong: nothing survives the process, and memory grows with every message that no ring drops.
 * Promise: the same contracts as every other engine; a commit is visible when its promise resolves.
 */
import type { Engine, StoredMessage } from "../engine.ts";
import { QueueError } from "../errors.ts";
import { type Clock, EngineTime, systemClock } from "./clock.ts";
import { checkTtl } from "./commit-rules.ts";
import { Model, type Partition } from "./model.ts";
import { MessageRing } from "./message-ring.ts";

export interface MemoryEngineOptions {
  /** Default: the system's clock. */
  readonly clock?: Clock;
}

export function createMemoryEngine(options: MemoryEngineOptions = {}): Engine {
  const time = new EngineTime(options.clock ?? systemClock);
  const model = new Model({ time, incarnation: 0, firstSequence: 0, createStore: () => new MessageRing() });
  let closed = false;

  function assertOpen(): void {
    if (closed) throw new QueueError("CLOSED");
  }

  return {
    name: "memory",
    failed: new Promise<never>(() => {}),
    now: () => time.now(),
    topic: (name) => model.topic(name),
    topics: () => model.topics,
    statistics: () => ({ ...model.statistics(), syncs: 0 }),
    onAppend: (listener) => model.notifier.onAppend(listener),
    onStateChange: (namespace, listener) => model.notifier.onStateChange(namespace, listener),

    async declareTopics(topics) {
      assertOpen();
      for (const config of model.undeclared(topics)) model.addTopic(config);
    },
    async commit(commit) {
      assertOpen();
      const reservation = model.reserve(commit);
      model.apply(reservation);
      const { receipt, targets } = reservation;
      targets.forEach((partition, index) => {
        const { key, value, headers = {} } = commit.append?.[index] as NonNullable<typeof commit.append>[number];
        const offset = receipt.offsets[index] as number;
        keep(partition, {
          topic: partition.topic.name,
          partition: partition.index,
          offset,
          timestampMs: receipt.timeMs,
          key,
          value,
          headers,
        });
      });
      return receipt;
    },
    async read(topic, partition, fromOffset, limits) {
      assertOpen();
      const { store, start, end } = model.partition(topic, partition);
      return store.read(Math.max(fromOffset, start), end, limits);
    },
    async range(topic, partition) {
      assertOpen();
      return model.range(topic, partition);
    },
    async committedOffset(ref) {
      assertOpen();
      return model.committedOffset(ref);
    },
    async readState(namespace, keys) {
      assertOpen();
      const nowMs = time.now();
      return keys.map((key) => model.state.read(namespace, key, nowMs));
    },
    async scanState(namespace, scan) {
      assertOpen();
      return model.state.scan(namespace, scan, time.now());
    },
    async acquireLease(ref) {
      assertOpen();
      model.partition(ref.topic, ref.partition);
      checkTtl(ref.ttlMs, 1);
      return model.leases.acquire(ref, time.now());
    },
    async renewLease(lease, ttlMs) {
      assertOpen();
      checkTtl(ttlMs, 1);
      return model.leases.renew(lease, ttlMs, time.now());
    },
    async releaseLease(lease) {
      assertOpen();
      model.leases.release(lease);
    },
    async heartbeat(group, member, ttlMs) {
      assertOpen();
      checkTtl(ttlMs, 0);
      model.leases.heartbeat(group, member, ttlMs, time.now());
    },
    async members(group) {
      assertOpen();
      return model.leases.members(group, time.now());
    },
    async close() {
      closed = true;
      model.notifier.clear();
    },
  };
}

function keep(partition: Partition<MessageRing>, message: StoredMessage): void {
  partition.store.push(message);
  partition.store.dropBefore(partition.start);
}
