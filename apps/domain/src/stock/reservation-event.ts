import type { PurchaseResult, ReservationEvent, SaleStock } from "../messages.ts";
import type { Moment } from "./moment.ts";

type Common = Omit<Extract<ReservationEvent, { type: "released" }>, "type" | "cause" | "version">;

/** What every event about a reservation tells; `sale` as it is after the event. */
export function reservationEvent(result: PurchaseResult, sale: SaleStock, { position, nowMs }: Moment): Common {
  if (result.reservation === undefined) throw new Error(`purchase ${result.purchaseId} has no reservation`);
  const { terms, available, reserved, sold } = sale;
  return {
    reservationId: result.reservation.id,
    purchaseId: result.purchaseId,
    saleId: result.saleId,
    userId: result.userId,
    quantity: result.quantity,
    unitPriceCents: terms.priceCents,
    amountCents: result.quantity * terms.priceCents,
    title: terms.title,
    productId: terms.productId,
    atMs: nowMs,
    position,
    stockAfter: { available, reserved, sold },
  };
}
