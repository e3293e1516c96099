/**
 * The way of a purchase, edge by edge, and where every group stands on it.
 *
 * What can go wrong: a look each second must not cost what a sale could use. A second costs two look-ups per
 * partition, and one read of a single message for each partition in which something waits; while the way stands still,
 * nothing (way-watch.ts).
 */
import {
  type Edge,
  type EdgeId,
  groups,
  orders,
  paymentJobs,
  paymentRequests,
  purchaseRequests,
  reservations,
  results,
  smsJobs,
  stockCommands,
} from "@plateau/domain";
import type { PartitionStatistics, Queue, Topic } from "queue-core";

export interface QueueEdge {
  readonly id: Exclude<EdgeId, "replies">;
  readonly from: Edge["from"];
  readonly to: Edge["to"];
  readonly topic: Topic<unknown>;
  readonly group: string;
}

/** All but the replies, which no group reads. */
export const edges: readonly QueueEdge[] = [
  edge("requests", "gateway", "risk", purchaseRequests, groups.risk),
  edge("commands", "risk", "stock", stockCommands, groups.stock),
  edge("reservations", "stock", "orders", reservations, groups.order),
  edge("orders", "orders", "sms", orders, groups.sms),
  edge("sms-jobs", "sms", "sms-provider", smsJobs, groups.sms),
  edge("payments", "gateway", "payments", paymentRequests, groups.payment),
  edge("payment-jobs", "payments", "payment-provider", paymentJobs, groups.payment),
  edge("statistics", "stock", "statistics", results, groups.stats),
];

function edge<T>(id: QueueEdge["id"], from: Edge["from"], to: Edge["to"], topic: Topic<T>, group: string): QueueEdge {
  return { id, from, to, topic: topic as Topic<never> as Topic<unknown>, group };
}

export interface EdgeReading {
  readonly edge: QueueEdge;
  /** Sums over the partitions. */
  readonly committed: number;
  readonly end: number;
  readonly lagMessages: number;
  /** Null where nothing waits. */
  readonly oldestAgeMs: number | null;
}

export interface WayReading {
  readonly atMs: number;
  readonly edges: readonly EdgeReading[];
}

export async function readWay(queue: Queue): Promise<WayReading> {
  const readings = await Promise.all(edges.map((one) => readEdge(queue, one)));
  return { atMs: queue.now(), edges: readings };
}

async function readEdge(queue: Queue, one: QueueEdge): Promise<EdgeReading> {
  const partitions = await queue.groupStatistics(one.group, one.topic);
  const sum = (of: (partition: PartitionStatistics) => number): number =>
    partitions.reduce((total, partition) => total + of(partition), 0);
  const ages = await Promise.all(partitions.map((partition) => oldestAgeMs(queue, one.topic.name, partition)));
  const waiting = ages.filter((age) => age !== null);
  return {
    edge: one,
    committed: sum(({ committed }) => committed),
    end: sum(({ end }) => end),
    lagMessages: sum(({ lagMessages }) => lagMessages),
    oldestAgeMs: waiting.length === 0 ? null : Math.max(...waiting),
  };
}

/** How long the first message that the group has not committed has waited; null where there is none. */
export async function oldestAgeMs(
  { engine }: Queue,
  topic: string,
  { partition, committed, lagMessages }: PartitionStatistics,
): Promise<number | null> {
  if (lagMessages === 0) return null;
  const [oldest] = await engine.read(topic, partition, committed, { maxMessages: 1 });
  return oldest === undefined ? null : Math.max(0, engine.now() - oldest.timestampMs);
}
