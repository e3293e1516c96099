/**
 * What a run of the truth rules is like: small numbers everywhere, so that deadlines, payments, leases and crashes
 * meet each other in a few seconds of virtual time. Each scenario draws its own (scenarios.ts).
 */
import type { StageMember } from "./worker-process.ts";

export interface TruthSettings {
  readonly shoppers: number;
  readonly users: number;
  readonly stock: number;
  readonly gateways: number;
  readonly workers: number;
  readonly leaseMs: number;
  /** Shoppers come within this, virtual ms. */
  readonly arriveWithinMs: number;
  /** How long a purchase may take until it is decided, drawn for each try. */
  readonly decideWithinMs: readonly [first: number, last: number];
  /** How long a try waits before it is answered with "queued". */
  readonly waitMs: readonly [first: number, last: number];
  /** Tries with one key beyond the first, each at another gateway, none waiting for the one before. */
  readonly retries: readonly [first: number, last: number];
  /** Retries come within this after the first try. */
  readonly retryWithinMs: number;
  readonly paymentTimeoutMs: number;
  /** Payments asked for each win. */
  readonly payments: readonly [first: number, last: number];
  /** A payment or cancellation comes this long before (negative) or after the reservation's due time, ms. */
  readonly aroundDueMs: readonly [first: number, last: number];
  readonly cancelChance: number;
  /** How likely a gateway's commit meets a broken link (lossy-link.ts). */
  readonly lossChance: number;
  readonly troubles: TroubleChances;
}

/** How likely trouble strikes next to each of these moments, and how often in a run at most. */
export interface TroubleChances {
  readonly publish: number;
  readonly decision: number;
  readonly payment: number;
  readonly most: number;
}

/** A fault put into the system on purpose, to show that the checks see it. */
export interface PlantedFault {
  /** A gateway that tells the end of an overdue purchase without asking for it. */
  readonly gateway?: "tells expired by itself";
  readonly stock?: StageMember;
  /** A worker that tells the gateways what it has decided, and stores it afterwards. */
  readonly worker?: "tells before it stores";
  /** A payment office that takes the money before the stock stage has said `sold`. */
  readonly office?: "captures at once";
}
