/** A purchase as its shopper sees it: from its result, or while it is on its way. */
import {
  orderIdOf,
  type Purchase,
  type PurchaseResult,
  type purchaseStates,
  type ReservationState,
} from "@plateau/domain";
import type { PendingPurchase } from "./pending-purchases.ts";

const stateOfReservation = {
  reserved: "won",
  sold: "paid",
  cancelled: "cancelled",
  payment_expired: "payment_expired",
} as const satisfies Record<ReservationState, (typeof purchaseStates)[number]>;

export function purchaseOfResult(result: PurchaseResult): Purchase {
  const { reservation } = result;
  return {
    id: result.purchaseId,
    saleId: result.saleId,
    userId: result.userId,
    quantity: result.quantity,
    state: reservation === undefined ? endOf(result) : stateOfReservation[reservation.state],
    ...(result.reason === undefined ? {} : { reason: result.reason }),
    ...(reservation === undefined
      ? {}
      : {
          reservation: { id: reservation.id, payBefore: new Date(reservation.payBeforeMs).toISOString() },
          orderId: orderIdOf(reservation.id),
        }),
    decidedAt: new Date(result.decidedAtMs).toISOString(),
  };
}

function endOf({ outcome, purchaseId }: PurchaseResult): "sold_out" | "rejected" | "expired" {
  if (outcome === "won") throw new Error(`${purchaseId} is won without a reservation`);
  return outcome;
}

export function queuedPurchase(
  { terms }: PendingPurchase,
  standing: { readonly position: number; readonly etaMs: number | null },
): Purchase {
  return {
    id: terms.id,
    saleId: terms.saleId,
    userId: terms.userId,
    quantity: terms.quantity,
    state: "queued",
    position: standing.position,
    etaMs: standing.etaMs,
  };
}

/** Nothing changes any more. */
export const isFinal = ({ state }: Purchase): boolean => state !== "queued" && state !== "won";
