/**
 * Whether what shoppers were told and what was stored agree, at the end of a way. Each line can fail, and where there
 * was nothing to look at it says `unknown`, which is no pass.
 */
import type { FourWaysCheck } from "@plateau/domain";

/** What one way left behind. */
export interface Evidence {
  readonly stock: number;
  /** By whoever decides. */
  readonly unitsLeft: number;
  /** A row each. */
  readonly orders: readonly { readonly purchaseId: string; readonly userId: string }[];
  /** Purchase ids, as the provider has them. */
  readonly messages: readonly string[];
  readonly counted: number;
  /** Steps that were still to be done when it was looked at; above 0 nothing below can be judged. */
  readonly following: number;
  /** By user, as they were told; who is missing heard nothing. */
  readonly told: ReadonlyMap<string, "accepted" | "declined" | "refused" | "failed">;
}

export function examine(evidence: Evidence): readonly FourWaysCheck[] {
  const { stock, unitsLeft, orders, messages, counted, following, told } = evidence;
  const acceptedUsers = [...told].flatMap(([userId, outcome]) => (outcome === "accepted" ? [userId] : []));
  const ordersOf = countBy(orders.map(({ userId }) => userId));
  const without = acceptedUsers.filter((userId) => ordersOf.get(userId) !== 1);
  // Who failed may have been bought for: they were never told the contrary.
  const contradicted = orders.filter(({ userId }) => ["declined", "refused"].includes(told.get(userId) ?? ""));
  const orderIds = new Set(orders.map(({ purchaseId }) => purchaseId));
  const texted = countBy(messages);
  const isEqual = texted.size === orderIds.size && [...orderIds].every((id) => texted.get(id) === 1);
  const lines: readonly [string, string, boolean, string][] = [
    [
      "no-oversell",
      "No more orders than units",
      orders.length <= stock && unitsLeft >= 0,
      `${orders.length} orders, ${stock} units`,
    ],
    [
      "conservation",
      "Units = units left + orders",
      unitsLeft + orders.length === stock,
      `${stock} = ${unitsLeft} left + ${orders.length} ordered`,
    ],
    [
      "one-order-per-accepted",
      "Whoever was told “won” has one order",
      without.length === 0,
      `${acceptedUsers.length} told so, ${without.length} of them without exactly one order`,
    ],
    [
      "no-order-contradicted",
      "Nobody who was turned away has an order",
      contradicted.length === 0,
      `${contradicted.length} orders of people who were turned away`,
    ],
    ["one-message-per-order", "One SMS per order", isEqual, `${messages.length} messages, ${orders.length} orders`],
    ["counted-once", "Statistics count each order once", counted === orders.length, `${counted} counted`],
  ];
  const judged = following === 0 && acceptedUsers.length > 0;
  const doubt = following > 0 ? `${following} steps were still to be done` : "nothing was sold";
  return lines.map(([id, title, holds, evidenceText]) => ({
    id,
    title,
    verdict: judged ? (holds ? "pass" : "fail") : "unknown",
    evidence: judged ? evidenceText : doubt,
  }));
}

function countBy(keys: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
