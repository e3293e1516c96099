/**
 * From reservation events to order rows and order events: the pure half of the order consumer.
 *
 *   reserved ──► row, awaiting payment (version 1)      created
 *   sold     ──► paid (version 2)                       paid
 *   released ──► cancelled or payment_expired           cancelled or payment_expired
 */
import { type OrderEvent, orderIdOf, type ReservationEvent } from "@plateau/domain";
import type { OrderState } from "@plateau/prisma";

/** `pay-refused` is about a payment and changes no order. */
export type OrderingEvent = Exclude<ReservationEvent, { type: "pay-refused" }>;

export const changesAnOrder = (event: ReservationEvent): event is OrderingEvent => event.type !== "pay-refused";

export function stateAfter(event: OrderingEvent): OrderState {
  if (event.type === "reserved") return "awaiting_payment";
  return event.type === "sold" ? "paid" : event.cause;
}

/**
 * The row as this event alone tells it, written at `writtenAtMs`, engine time as all its times. Should an ending come
 * without its beginning (the beginning lies among the dead letters), the order still comes to be, ended; its times
 * are then those of the end.
 */
export function rowOf(event: OrderingEvent, writtenAtMs: number) {
  const at = new Date(event.atMs);
  const began = event.type === "reserved" ? event : undefined;
  return {
    id: orderIdOf(event.reservationId),
    reservationId: event.reservationId,
    saleId: event.saleId,
    userId: event.userId,
    productId: event.productId,
    title: event.title,
    quantity: event.quantity,
    amountCents: event.amountCents,
    state: stateAfter(event),
    version: event.version,
    payBefore: began === undefined ? at : new Date(began.payBeforeMs),
    requestedAt: dateOf(began?.requestedAtMs),
    judgedAt: dateOf(began?.judgedAtMs),
    reservedAt: at,
    endedAt: began === undefined ? at : null,
    createdAt: new Date(writtenAtMs),
  };
}

const dateOf = (ms: number | undefined): Date | null => (ms === undefined ? null : new Date(ms));

export function orderEventOf(event: OrderingEvent): OrderEvent {
  const { reservationId, saleId, userId, title, quantity, amountCents, version, atMs } = event;
  const about = { orderId: orderIdOf(reservationId), reservationId, saleId, userId, title, quantity, amountCents };
  if (event.type === "reserved") {
    return { type: "created", ...about, payBeforeMs: event.payBeforeMs, version, atMs };
  }
  return { type: event.type === "sold" ? "paid" : event.cause, ...about, version, atMs };
}
