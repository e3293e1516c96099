/**
 * Orders: makes the rows that shoppers see, and tells `orders` about each change, for SMS and whoever comes later.
 *
 *   reservations ──► half messages stored ──► rows written, one transaction a batch ──► half messages visible
 *
 * Row and event belong together: an event without its row would tell of an order that nobody can see, a row without
 * its event would leave the buyer without a message. The half message (事务消息) ties them: it becomes visible only
 * once the rows are committed.
 *
 * What can go wrong:
 * - The process dies before the rows are committed: nothing was visible; the batch is delivered again.
 * - It dies after them, before the half messages are: the check-back finds the rows and makes the events visible.
 *   The batch, whose offset never moved, is delivered again as well: its rows are there, its events are told once
 *   more. So nothing is lost, and readers of `orders` take (orderId, type) once.
 * - The rows take so long that a check-back looked first, found none, and dropped the events: the publisher is told,
 *   and the batch is tried again.
 * - It is not known whether the rows were committed (the connection broke): the half messages stay as they are, the
 *   batch pauses and is tried again; the check-back ends the first half messages by what it finds.
 * - An event cannot be applied (its sale is unknown to the catalogue): it alone stays behind (batch-writes.ts).
 */
import { groups, type OrderEvent, orders, type ReservationEvent, reservations } from "@plateau/domain";
import { type Database, isRefusedRow } from "@plateau/prisma";
import type { GroupMember, Message, Queue, TransactionalPublisher } from "queue-core";
import { settleBatch } from "../batch-writes.ts";
import { changesAnOrder, orderEventOf } from "./order-rows.ts";
import { applyReservations, hasReached } from "./order-table.ts";

export interface OrderConsumerOptions {
  readonly queue: Queue;
  readonly db: Database;
  readonly member?: string;
  /** When half messages without a word from their sender are looked into, ms; default 6,000. */
  readonly checkAfterMs?: number;
}

/** A database that is down for long is no reason to give half messages up. */
const maxChecks = 10_000;

export async function startOrderConsumer(
  options: OrderConsumerOptions,
): Promise<readonly [GroupMember, { stop(): Promise<void> }]> {
  const { queue, db, member, checkAfterMs } = options;
  const publisher = await queue.transactional<OrderEvent>({
    group: groups.order,
    topic: orders,
    maxChecks,
    ...(checkAfterMs === undefined ? {} : { checkAfterMs }),
    checkBack: async ({ value }) =>
      (await hasReached(db, value.reservationId, value.version)) ? "commit" : "rollback",
  });
  const consumer = await queue.consume<ReservationEvent>({
    group: groups.order,
    topic: reservations,
    maxBatch: 500,
    lingerMs: 50,
    ...(member === undefined ? {} : { member }),
    handle: (batch) => settleBatch(batch, (part) => orderBatch(queue, db, publisher, part)),
  });
  return [consumer, publisher];
}

async function orderBatch(
  queue: Queue,
  db: Database,
  publisher: TransactionalPublisher<OrderEvent>,
  batch: readonly Message<ReservationEvent>[],
): Promise<undefined> {
  const events = batch.map((message) => message.value).filter(changesAnOrder);
  if (events.length === 0) return;
  let failure: { readonly error: unknown } | undefined;
  await publisher.publish(events.map(orderEventOf), async () => {
    try {
      await applyReservations(db, events, queue.now());
      return "commit";
    } catch (error) {
      failure = { error };
      return isRefusedRow(error) ? "rollback" : "unknown";
    }
  });
  if (failure !== undefined) throw failure.error;
}
