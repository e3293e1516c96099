import type { Purchase } from "@plateau/domain/http";
import { isFinal } from "./follow.ts";

/** Of a shopper's purchases of one sale: what is still under way, then what is paid, then the latest. */
export function purchaseToShow(purchases: readonly Purchase[]): Purchase | undefined {
  return (
    purchases.findLast((purchase) => !isFinal(purchase)) ??
    purchases.findLast((purchase) => purchase.state === "paid") ??
    purchases.at(-1)
  );
}
