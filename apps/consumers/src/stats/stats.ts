/**
 * Statistics: counts what happened, each thing once, whatever is delivered twice.
 *
 * Counting is not idempotent, so this group does not rely on the queue's offset: it keeps its own in the database and
 * moves it in the transaction that adds the counts. Either both are stored or neither; on take-over it starts from
 * what it finds there. At-least-once delivery thus becomes exactly-once counting.
 *
 * What can go wrong:
 * - The process dies before or after the transaction: the offset in the database says which it was.
 * - A stale member still counts while another took the partition over: both lock the offset's row; whoever comes
 *   second sees that its messages are below the offset and skips them.
 * - The database is down: the partition pauses and loses nothing.
 * - Two partitions add to the same window at once: rows are taken in one fixed order, so they wait for each other
 *   instead of blocking each other for ever.
 */
import { admissions, groups, reservations, results } from "@plateau/domain";
import type { Database } from "@plateau/prisma";
import type { GroupMember, Message, Outcome, Queue, Topic } from "queue-core";
import { settleBatch } from "../batch-writes.ts";
import { type Count, countsOfAdmissions, countsOfReservation, countsOfResult, sumOf } from "./counts.ts";

export interface StatsConsumerOptions {
  readonly queue: Queue;
  readonly db: Database;
  readonly member?: string;
}

export function startStatsConsumer(options: StatsConsumerOptions): readonly Promise<GroupMember>[] {
  return [
    countTopic(options, results, countsOfResult),
    countTopic(options, reservations, countsOfReservation),
    countTopic(options, admissions, countsOfAdmissions),
  ];
}

function countTopic<T>(
  { queue, db, member }: StatsConsumerOptions,
  topic: Topic<T>,
  countsOf: (value: T) => readonly Count[],
): Promise<GroupMember> {
  return queue.consume<T>({
    group: groups.stats,
    topic,
    maxBatch: 500,
    lingerMs: 100,
    lingerMaxMs: 1_000,
    ...(member === undefined ? {} : { member }),
    startOffset: (partition) => readOffset(db, topic.name, partition),
    handle: (batch): Promise<readonly Outcome[]> => settleBatch(batch, (part) => addCounts(db, part, countsOf)),
  });
}

async function readOffset(db: Database, topic: string, partition: number): Promise<number> {
  const row = await db.consumerOffset.findUnique({
    where: { group_topic_partition: { group: groups.stats, topic, partition } },
  });
  return Number(row?.offset ?? 0);
}

/** The batch is in offset order and of one partition. */
async function addCounts<T>(
  db: Database,
  batch: readonly Message<T>[],
  countsOf: (value: T) => readonly Count[],
): Promise<undefined> {
  const last = batch.at(-1);
  if (last === undefined) return;
  const { topic, partition } = last;
  await db.$transaction(async (transaction) => {
    const [locked] = await transaction.$queryRaw<[{ offset: bigint }]>`
      INSERT INTO consumer_offsets ("group", topic, partition, "offset") VALUES (${groups.stats}, ${topic}, ${partition}, 0)
      ON CONFLICT ("group", topic, partition) DO UPDATE SET "offset" = consumer_offsets."offset"
      RETURNING "offset"`;
    const fresh = batch.filter((message) => message.offset >= locked.offset);
    if (fresh.length === 0) return;
    const sums = sumOf(fresh.flatMap((message) => countsOf(message.value)));
    await transaction.$executeRaw`
      INSERT INTO statistics_windows (sale_id, window_start, metric, label, value)
      SELECT * FROM unnest(
        ${sums.map((sum) => sum.saleId)}::text[],
        ${sums.map((sum) => new Date(sum.windowStartMs).toISOString())}::timestamptz[],
        ${sums.map((sum) => sum.metric)}::text[],
        ${sums.map((sum) => sum.label)}::text[],
        ${sums.map((sum) => sum.value)}::bigint[]
      )
      ON CONFLICT (sale_id, window_start, metric, label)
      DO UPDATE SET value = statistics_windows.value + EXCLUDED.value`;
    await transaction.$executeRaw`
      UPDATE consumer_offsets SET "offset" = ${last.offset + 1}
      WHERE "group" = ${groups.stats} AND topic = ${topic} AND partition = ${partition}`;
  });
}
