/**
 * Whether a group has yet to read something old. What such a group does is merely late, so nothing is concluded from
 * what is missing.
 */
import { groups, orders, paymentRequests, reservations, results } from "@plateau/domain";
import type { Queue, Topic } from "queue-core";

export type Follower = "order" | "payment" | "sms" | "stats";

const reads: Readonly<Record<Follower, readonly Topic<unknown>[]>> = {
  order: [read(reservations)],
  payment: [read(paymentRequests), read(reservations)],
  sms: [read(orders)],
  stats: [read(results), read(reservations)],
};

function read<T>(topic: Topic<T>): Topic<unknown> {
  return topic as Topic<never> as Topic<unknown>;
}

/** The groups that have yet to read a message from before `beforeMs` of engine time. */
export async function groupsBehind(queue: Queue, beforeMs: number): Promise<ReadonlySet<Follower>> {
  const behind = new Set<Follower>();
  for (const [follower, topics] of Object.entries(reads) as [Follower, readonly Topic<unknown>[]][]) {
    for (const topic of topics) if (await isBehind(queue, groups[follower], topic, beforeMs)) behind.add(follower);
  }
  return behind;
}

async function isBehind(queue: Queue, group: string, topic: Topic<unknown>, beforeMs: number): Promise<boolean> {
  for (const { partition, committed, lagMessages } of await queue.groupStatistics(group, topic)) {
    if (lagMessages === 0) continue;
    const [next] = await queue.engine.read(topic.name, partition, committed, { maxMessages: 1 });
    if (next !== undefined && next.timestampMs < beforeMs) return true;
  }
  return false;
}
