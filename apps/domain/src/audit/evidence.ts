/**
 * What the audit looks at, gathered by a collector that this folder knows nothing about.
 *
 * What can go wrong: the system runs on while evidence is gathered, so two readings are never of one instant.
 * The collector therefore reads downstream first (database, providers, state) and the log last, upstream topics
 * after downstream ones. Then two rules hold without stopping anything:
 * - whatever is found downstream must be found upstream (nothing is invented);
 * - whatever is `settled` upstream must be found downstream (nothing is lost). A message is settled when every
 *   group that reads its topic had committed past it before any downstream reading began.
 *
 * A source that could not be read says why; the invariants that need it are then `unknown`, never passed.
 */
import type {
  AdmissionWindow,
  OrderEvent,
  PaymentRequest,
  PurchaseEnded,
  PurchaseResult,
  RequestMessage,
  ReservationEvent,
  SaleStock,
  StockCommand,
} from "../messages.ts";
import type { HistoryEntry } from "./history.ts";

export type Looked<T> = { readonly looked: true; readonly found: T } | { readonly looked: false; readonly why: string };

export interface Recorded<T> {
  readonly partition: number;
  readonly offset: number;
  /** Every group of the topic had committed past it before anything downstream was read. */
  readonly settled: boolean;
  readonly value: T;
}

export interface TopicEvidence<T> {
  /** Messages of the sales in scope; ascending offsets inside each partition. */
  readonly messages: readonly Recorded<T>[];
  /** What was scanned for them: `read` counts all messages met, of any sale, between `start` and `end`. */
  readonly partitions: readonly {
    readonly partition: number;
    readonly start: number;
    readonly end: number;
    readonly read: number;
  }[];
  /** Of those read, how many are no messages of this topic at all; none of them can be a sale's. */
  readonly unreadable?: number;
}

export interface LogEvidence {
  readonly requests: Looked<TopicEvidence<RequestMessage>>;
  readonly commands: Looked<TopicEvidence<StockCommand>>;
  readonly results: Looked<TopicEvidence<PurchaseEnded>>;
  readonly reservations: Looked<TopicEvidence<ReservationEvent>>;
  readonly orders: Looked<TopicEvidence<OrderEvent>>;
  readonly paymentRequests: Looked<TopicEvidence<PaymentRequest>>;
  readonly admissions: Looked<TopicEvidence<AdmissionWindow>>;
}
export type TopicOfLog = keyof LogEvidence;

/** A group that had not reached, within the audit's patience, what was published when the audit began. */
export interface GroupLag {
  readonly group: string;
  readonly topic: string;
  readonly behindMessages: number;
}

/** Entries of the stock stage: what every look-up, by poll or by stream, answers from. */
export interface StateEvidence {
  readonly sales: ReadonlyMap<string, SaleStock>;
  /** Units by `<saleId>:<userId>`. */
  readonly buyers: ReadonlyMap<string, number>;
  readonly results: ReadonlyMap<string, PurchaseResult>;
}

export interface SaleRow {
  readonly id: string;
  readonly stock: number;
  readonly priceCents: number;
  readonly perUserLimit: number;
}

export interface OrderRow {
  readonly id: string;
  readonly reservationId: string;
  readonly saleId: string;
  readonly userId: string;
  readonly quantity: number;
  readonly amountCents: number;
  readonly state: "awaiting_payment" | "paid" | "cancelled" | "payment_expired";
  /** Version of the last reservation event applied. */
  readonly version: number;
}

export interface PaymentRow {
  readonly id: string;
  readonly reservationId: string;
  readonly saleId: string;
  readonly amountCents: number;
  readonly state: "requested" | "authorised" | "declined" | "captured" | "voided";
}

export interface SmsRow {
  readonly id: string;
  readonly orderId: string;
  readonly saleId: string;
  readonly event: string;
}

export interface StatisticsCell {
  readonly saleId: string;
  readonly metric: string;
  readonly label: string;
  readonly value: number;
}

/** Read in one repeatable-read transaction. */
export interface DatabaseEvidence {
  readonly sales: readonly SaleRow[];
  readonly orders: readonly OrderRow[];
  readonly payments: readonly PaymentRow[];
  readonly sms: readonly SmsRow[];
  /** Summed over the windows. */
  readonly statistics: readonly StatisticsCell[];
  /** Offset (the next one to count) by `<topic>/<partition>`, from the same transaction as the statistics. */
  readonly countedTo: ReadonlyMap<string, number>;
}

export interface ProviderAuthorisation {
  readonly id: string;
  /** The payment it was made for, from our reference. */
  readonly paymentId: string;
  readonly amountCents: number;
  readonly status: "authorised" | "declined" | "captured" | "voided";
}

/** One text that went out to a phone; `key` is the idempotency key it was sent with. */
export interface ProviderSms {
  readonly id: string;
  readonly key: string;
}

export interface ProviderEvidence {
  readonly authorisations: readonly ProviderAuthorisation[];
  readonly sms: readonly ProviderSms[];
}

export interface Evidence {
  /** Engine time when the state was read, ms since epoch. */
  readonly nowMs: number;
  readonly log: LogEvidence;
  readonly lag: readonly GroupLag[];
  readonly state: Looked<StateEvidence>;
  readonly database: Looked<DatabaseEvidence>;
  readonly provider: Looked<ProviderEvidence>;
  /** What clients were told, where a driver outside the system wrote it down. */
  readonly history?: readonly HistoryEntry[];
}
