/**
 * What travels over the topics. Every field is what its name says: `…Ms` milliseconds of engine time,
 * `…Cents` integer cents.
 */
import type { OrderId, PaymentId, PurchaseId, ReservationId, SaleId, UserId } from "./ids.ts";

/** Why risk control or the stock stage rejected a purchase; stable codes, shown to clients. */
export const rejectionReasons = [
  "velocity", // this user tried too often in the window
  "blocked", // this user is on the block list
  "shared-device", // too many accounts on one device
  "risk-score", // the outside scorer says no
  "limit-reached", // per-user limit of the sale
  "sale-not-open", // outside the window, closed, or unknown
  "poison", // the decision itself failed; see the dead letters
] as const;
export type RejectionReason = (typeof rejectionReasons)[number];

/** Terms of a sale as the stock stage keeps them; they never change once opened (a reset is a new sale). */
export interface SaleTerms {
  readonly saleId: SaleId;
  readonly productId: string;
  readonly title: string;
  readonly priceCents: number;
  readonly stock: number;
  readonly perUserLimit: number;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly paymentTimeoutMs: number;
  /** Wait in the risk stage for each request of this sale, on top of the knob; 0 for most. */
  readonly decisionCostMs: number;
}

export interface PurchaseRequest {
  readonly type: "purchase";
  readonly purchaseId: PurchaseId;
  readonly saleId: SaleId;
  readonly userId: UserId;
  readonly quantity: number;
  readonly fingerprint: string;
  readonly deviceId?: string;
  /** How many accounts had signed in on this device when this one last did; from the session token. */
  readonly accountsOnDevice?: number;
  readonly address: string;
  readonly requestedAtMs: number;
  /** `decideWithin`: a worker that meets it later records `expired` and does no work. */
  readonly decideByMs: number;
  /** Copied from the sale by the gateway so that risk can pace without a look-up. */
  readonly decisionCostMs?: number;
}

/** "What became of this id?", down the same path as the request: answered with the result, or `expired` is recorded. */
export interface ResolveRequest {
  readonly type: "resolve";
  readonly purchaseId: PurchaseId;
  readonly saleId: SaleId;
  readonly userId: UserId;
}

export type RequestMessage = PurchaseRequest | ResolveRequest;

export type RiskVerdict = (
  | { readonly verdict: "pass" }
  | { readonly verdict: "refuse"; readonly reason: RejectionReason }
) & {
  readonly scored: boolean;
  /** When risk first judged this request id; absent where it went on unjudged, and in older messages. */
  readonly judgedAtMs?: number;
};

/** What the stock stage needs of a request; address and device stay behind in the risk stage. */
export type JudgedPurchase = Omit<PurchaseRequest, "deviceId" | "accountsOnDevice" | "address" | "decisionCostMs"> & {
  readonly risk: RiskVerdict;
};

export type StockCommand =
  | { readonly type: "open-sale"; readonly saleId: SaleId; readonly terms: SaleTerms }
  | { readonly type: "close-sale"; readonly saleId: SaleId }
  | JudgedPurchase
  | ResolveRequest
  | {
      readonly type: "pay";
      readonly saleId: SaleId;
      readonly reservationId: ReservationId;
      readonly paymentId: PaymentId;
    }
  | {
      readonly type: "cancel";
      readonly saleId: SaleId;
      readonly reservationId: ReservationId;
      readonly userId: UserId;
    }
  /** Sent to itself by the stock stage, delayed by the sale's payment timeout. */
  | {
      readonly type: "expire";
      readonly saleId: SaleId;
      readonly reservationId: ReservationId;
      readonly userId: UserId;
    };

export type ReservationState = "reserved" | "sold" | "cancelled" | "payment_expired";
export type PurchaseOutcome = "won" | "sold_out" | "rejected" | "expired";

/** The entry `result:<purchaseId>` of the stock stage: what every answer about this purchase comes from. */
export interface PurchaseResult {
  readonly purchaseId: PurchaseId;
  readonly saleId: SaleId;
  readonly userId: UserId;
  /** 0 where only a `resolve` ever came: nobody knows how many units were asked for. */
  readonly quantity: number;
  /** Absent where only a `resolve` ever came. */
  readonly fingerprint?: string;
  readonly outcome: PurchaseOutcome;
  readonly reason?: RejectionReason;
  /** Whether the outside risk score was there when risk decided. */
  readonly scored?: boolean;
  readonly decidedAtMs: number;
  /** Offset of the deciding message in its `stock-commands` partition. */
  readonly position: number;
  readonly reservation?: {
    readonly id: ReservationId;
    readonly payBeforeMs: number;
    readonly state: ReservationState;
    /** 1 when reserved, 2 when sold or released. */
    readonly version: number;
    readonly paymentId?: PaymentId;
    readonly endedAtMs?: number;
  };
}

/** The entry `sale:<saleId>` of the stock stage. Conservation: stock = available + reserved + sold. */
export interface SaleStock {
  readonly terms: SaleTerms;
  readonly available: number;
  readonly reserved: number;
  readonly sold: number;
  readonly closed: boolean;
  /** Offset in `stock-commands` and engine time of the last change: what a hint taken from it is as of. */
  readonly asOf: { readonly position: number; readonly atMs: number };
  /** Counts changes of this entry. */
  readonly version: number;
}

/** The entry `buyer:<saleId>:<userId>` of the stock stage. */
export interface BuyerUnits {
  /** reserved + sold units, what the per-user limit counts. */
  readonly units: number;
  /**
   * This user's ended purchases in this sale, oldest first, whatever their outcome: a reload or a second tab, after
   * any restart, finds them. Written with the result; only the newest `buyerPurchasesMax` are kept.
   */
  readonly purchaseIds: readonly PurchaseId[];
}

/** Bounds the entry `buyer:…`: no entry grows with the number of tries. */
export const buyerPurchasesMax = 32;

/** Keys of the stock stage's entries; its group is `stock`, its topic `stock-commands`, filed under the sale id. */
export const stockKeys = {
  sale: (saleId: string): string => `sale:${saleId}`,
  buyer: (saleId: string, userId: string): string => `buyer:${saleId}:${userId}`,
  result: (purchaseId: string): string => `result:${purchaseId}`,
} as const;

/** What comes back over `replies`. */
export type StockReply =
  | { readonly type: "result"; readonly result: PurchaseResult }
  /** Answer to pay and cancel: the reservation as it now is; `applied` tells whether this command did it. */
  | { readonly type: "reservation"; readonly applied: boolean; readonly result: PurchaseResult }
  | { readonly type: "sale"; readonly sale: SaleStock }
  | { readonly type: "not-found" };

/** `results`: every ended purchase, once. */
export interface PurchaseEnded {
  readonly purchaseId: PurchaseId;
  readonly saleId: SaleId;
  readonly userId: UserId;
  /** 0 where only a `resolve` ever came. */
  readonly quantity: number;
  readonly outcome: PurchaseOutcome;
  readonly reason?: RejectionReason;
  readonly scored: boolean;
  /** Where only a `resolve` ever came: when that was published. */
  readonly requestedAtMs: number;
  readonly decidedAtMs: number;
  readonly position: number;
}

interface ReservationEventBase {
  readonly reservationId: ReservationId;
  readonly purchaseId: PurchaseId;
  readonly saleId: SaleId;
  readonly userId: UserId;
  readonly quantity: number;
  readonly unitPriceCents: number;
  /** quantity × unitPriceCents. */
  readonly amountCents: number;
  readonly title: string;
  readonly productId: string;
  /** Of the reservation: 1 reserved, 2 sold or released; a `pay-refused` changes nothing and repeats it. */
  readonly version: number;
  readonly atMs: number;
  readonly position: number;
  /** The sale after this event: the audit replays stock from these. */
  readonly stockAfter: { readonly available: number; readonly reserved: number; readonly sold: number };
}

/** `reservations`, key sale:user. Only `reserved`, `sold` and `released` change stock. */
export type ReservationEvent =
  | (ReservationEventBase & {
      readonly type: "reserved";
      readonly payBeforeMs: number;
      /** Its way until here: when the gateway took the request, and when risk judged it; absent in older messages. */
      readonly requestedAtMs?: number;
      readonly judgedAtMs?: number;
    })
  | (ReservationEventBase & { readonly type: "sold"; readonly paymentId: PaymentId })
  | (ReservationEventBase & { readonly type: "released"; readonly cause: "cancelled" | "payment_expired" })
  /** A `pay` that came after the end, or a second payment: whoever authorised it must void it. */
  | (ReservationEventBase & { readonly type: "pay-refused"; readonly paymentId: PaymentId });

/** `orders`, key orderId, by half message from the order consumer. */
export interface OrderEvent {
  readonly type: "created" | "paid" | "cancelled" | "payment_expired";
  readonly orderId: OrderId;
  readonly reservationId: ReservationId;
  readonly saleId: SaleId;
  readonly userId: UserId;
  readonly title: string;
  readonly quantity: number;
  readonly amountCents: number;
  /** Told by `created` alone. */
  readonly payBeforeMs?: number;
  readonly version: number;
  readonly atMs: number;
}

/** `payment-requests`, key reservationId: the shopper asked to pay. */
export interface PaymentRequest {
  readonly paymentId: PaymentId;
  readonly orderId: OrderId;
  readonly reservationId: ReservationId;
  readonly saleId: SaleId;
  readonly userId: UserId;
  readonly amountCents: number;
  /** What the sandbox provider is asked to do; a real provider would get card details here. */
  readonly outcome: "succeed" | "decline";
  readonly requestedAtMs: number;
}

/** `admissions`, key saleId: what one gateway saw in one second, for statistics; refusals there are no results. */
export interface AdmissionWindow {
  readonly gatewayId: string;
  readonly saleId: SaleId;
  /** Start of the second, a multiple of 1,000. */
  readonly windowStartMs: number;
  readonly arrivals: number;
  readonly admitted: number;
  /** Problem code → count, e.g. `throttled`, `overloaded`, `sold-out` (by hint), `sale-not-open`. */
  readonly refused: Readonly<Record<string, number>>;
  /** Positions named by sold-out hints in this window, with how often; the audit checks each. */
  readonly hints: readonly { readonly position: number; readonly count: number }[];
}
