/**
 * Where the stages and edges of a purchase's way stand: the deciding ones and what becomes of a won purchase in the
 * first line, what branches off below the stage that it leaves.
 */
import type { Edge, EdgeId } from "@plateau/domain/control-room";

export type WayNode = Edge["from"];

/** In the order in which a purchase meets them, which is also the order of the keyboard. */
export const wayOrder: readonly EdgeId[] = [
  "requests",
  "commands",
  "replies",
  "reservations",
  "orders",
  "sms-jobs",
  "payments",
  "payment-jobs",
  "statistics",
];

/** Each node stands where the way first reaches it. */
export const nodeAfter: Readonly<Partial<Record<EdgeId, WayNode>>> = {
  requests: "risk",
  commands: "stock",
  reservations: "orders",
  orders: "sms",
  "sms-jobs": "sms-provider",
  payments: "payments",
  "payment-jobs": "payment-provider",
  statistics: "statistics",
};

/** Pixels, by powers of ten: 1/s is a hairline, 10,000/s a band. */
export const thicknessOf = (ratePerSecond: number): number =>
  ratePerSecond <= 0 ? 1 : Math.min(16, 2 + Math.round(3.4 * Math.log10(1 + ratePerSecond)));
