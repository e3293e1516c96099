/**
 * From reservations to order rows and the events about them, together or not at all.
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
 * - The rows are still being written when another process's check-back looks: it finds none. It answers "unknown" until
 *   the transaction can be under way no longer (order-table.ts), and drops the events only then.
 * - The sender was stopped for longer than that between half messages and rows, and went on: it is told that the events
 *   were dropped, and the batch is tried again; where it died after the rows, the batch is delivered again. So they are
 *   told either way.
 * - It is not known whether the rows were committed (the connection broke): the half messages stay as they are, the
 *   batch pauses and is tried again; the check-back ends the first half messages by what it finds.
 */
import { groups, type OrderEvent, orders } from "@plateau/domain";
import { type Database, type DataMark, isRefusedRow } from "@plateau/prisma";
import type { Queue, TransactionalPublisher } from "queue-core";
import { type OrderingEvent, orderEventOf } from "./order-rows.ts";
import { applyReservations, hasReached, longestWriteMs } from "./order-table.ts";

export interface OrderProjectionOptions {
  readonly queue: Queue;
  readonly db: Database;
  /** How far the store has come, where it is one that can lose what it acknowledged; kept with the rows. */
  readonly mark?: () => DataMark;
  /** When half messages without a word from their sender are looked into, ms; default 6,000. */
  readonly checkAfterMs?: number;
  /** Age from which on rows that are not there will not come any more, ms; default what order-table.ts allows. */
  readonly writtenWithinMs?: number;
}

/** Makes rows and tells of them, together or not at all; the same events again change no row. */
export interface OrderProjection {
  /** Rejects where the database, or the queue, took nothing of it, or nobody knows. */
  apply(events: readonly OrderingEvent[]): Promise<void>;
  stop(): Promise<void>;
}

export async function openOrderProjection(options: OrderProjectionOptions): Promise<OrderProjection> {
  const { queue, db, checkAfterMs = 6_000, writtenWithinMs = longestWriteMs } = options;
  const publisher = await queue.transactional<OrderEvent>({
    group: groups.order,
    topic: orders,
    // SMS that is down for long must not keep orders from being made.
    backlog: "unbounded",
    checkAfterMs,
    checkEveryMs: checkAfterMs,
    // None is left "unknown" for longer than the rows may take.
    maxChecks: Math.ceil(writtenWithinMs / checkAfterMs) + 15,
    checkBack: async ({ value, storedAtMs }) => {
      if (await hasReached(db, value.reservationId, value.version)) return "commit";
      return queue.now() - storedAtMs < writtenWithinMs ? "unknown" : "rollback";
    },
  });
  return {
    apply: (events) => applyAndTell(options, publisher, events),
    stop: () => publisher.stop(),
  };
}

async function applyAndTell(
  { queue, db, mark }: OrderProjectionOptions,
  publisher: TransactionalPublisher<OrderEvent>,
  events: readonly OrderingEvent[],
): Promise<void> {
  if (events.length === 0) return;
  let failure: { readonly error: unknown } | undefined;
  await publisher.publish(events.map(orderEventOf), async () => {
    try {
      // The half messages are stored by now, so the mark is beyond the events that they tell of.
      await applyReservations(db, events, { nowMs: queue.now(), mark: mark?.() });
      return "commit";
    } catch (error) {
      failure = { error };
      return isRefusedRow(error) ? "rollback" : "unknown";
    }
  });
  if (failure !== undefined) throw failure.error;
}
