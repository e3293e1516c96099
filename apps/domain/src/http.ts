/**
 * The HTTP contract as zod schemas: the gateway validates with them, OpenAPI is generated from them, the
 * storefront, the crowd and the tests take their types from them. Times are ISO 8601 UTC, money integer cents.
 */
import { z } from "zod";
import { rejectionReasons } from "./messages.ts";

export const saleStates = ["upcoming", "open", "sold_out", "ended"] as const;

/** States of a purchase (docs/architecture.md), from the client's point of view. */
export const purchaseStates = [
  "queued",
  "won",
  "paid",
  "cancelled",
  "payment_expired",
  "sold_out",
  "rejected",
  "expired",
] as const;

/** One line of text as people write it: no control characters, which a database or a terminal may choke on. */
const lineOf = (maxLength: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(maxLength)
    .regex(/^\P{Cc}*$/u, "no control characters");

export const Session = z.object({
  userId: z.string(),
  name: z.string(),
  token: z.string(),
  expiresAt: z.iso.datetime(),
});
export const SessionRequest = z.strictObject({ name: lineOf(40).optional() });
/** The shoppers that have signed in on the asking device, newest first. */
export const DeviceShoppers = z.object({
  shoppers: z.array(z.object({ userId: z.string(), name: z.string(), current: z.boolean() })),
});

/** The server's clock, for countdowns. */
export const ServerTime = z.object({ now: z.iso.datetime(), epochMs: z.int() });

export const Product = z.object({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  /** Names the picture: one of the slugs drawn for this shop. */
  picture: z.string(),
  priceCents: z.int().nonnegative(),
});

export const Sale = z.object({
  id: z.string(),
  productId: z.string(),
  title: z.string(),
  picture: z.string(),
  priceCents: z.int().nonnegative(),
  regularPriceCents: z.int().nonnegative(),
  stock: z.int().positive(),
  available: z.int().nonnegative(),
  reserved: z.int().nonnegative(),
  sold: z.int().nonnegative(),
  perUserLimit: z.int().positive(),
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
  paymentTimeoutMs: z.int().positive(),
  state: z.enum(saleStates),
  /** Simulated shoppers that arrive when it opens; 0 for none. */
  crowd: z.int().nonnegative(),
  /** A sale that the shop itself opens every few minutes. */
  house: z.boolean(),
});

export const Products = z.object({ products: z.array(Product) });
/** Those that are open or upcoming, and the newest that ended; by start time. */
export const Sales = z.object({ sales: z.array(Sale) });

export const PurchaseBody = z.strictObject({ quantity: z.int().min(1).max(10).optional() });

export const Purchase = z.object({
  id: z.string(),
  saleId: z.string(),
  userId: z.string(),
  /** 0 where the request itself never arrived and its id was resolved as expired. */
  quantity: z.int().nonnegative(),
  state: z.enum(purchaseStates),
  reason: z.enum(rejectionReasons).optional(),
  /** Upper bound of undecided requests ahead; never rises. Only while queued. */
  position: z.int().nonnegative().optional(),
  /** Estimate until the decision; null where there is no rate to estimate from. Only while queued. */
  etaMs: z.int().nonnegative().nullable().optional(),
  reservation: z.object({ id: z.string(), payBefore: z.iso.datetime() }).optional(),
  orderId: z.string().optional(),
  decidedAt: z.iso.datetime().optional(),
});

/** A user's own purchases of one sale, oldest first. */
export const Purchases = z.object({ purchases: z.array(Purchase) });

export const orderStates = ["awaiting_payment", "paying", "paid", "cancelled", "payment_expired"] as const;

export const Order = z.object({
  id: z.string(),
  reservationId: z.string(),
  saleId: z.string(),
  productId: z.string(),
  title: z.string(),
  picture: z.string(),
  quantity: z.int().positive(),
  amountCents: z.int().nonnegative(),
  state: z.enum(orderStates),
  payBefore: z.iso.datetime(),
  createdAt: z.iso.datetime(),
  /** Why the last payment attempt failed, where one did. */
  paymentProblem: z.string().optional(),
  /** What each service did and when; `atMs` is ms since epoch. */
  timeline: z.array(z.object({ service: z.string(), event: z.string(), atMs: z.int() })),
});

/** Newest first. */
export const Orders = z.object({ orders: z.array(Order) });

export const PaymentBody = z.strictObject({ outcome: z.enum(["succeed", "decline"]) });
export const EmptyBody = z.strictObject({}).optional().nullable();

export const SmsMessage = z.object({
  id: z.string(),
  orderId: z.string(),
  text: z.string(),
  sentAt: z.iso.datetime(),
});

/** Newest first. */
export const SmsMessages = z.object({ messages: z.array(SmsMessage) });

export const SaleStatistics = z.object({
  saleId: z.string(),
  /** Tumbling windows by event time, oldest first. */
  windows: z.array(
    z.object({
      startsAt: z.iso.datetime(),
      arrivals: z.int(),
      requests: z.int(),
      won: z.int(),
      refused: z.record(z.string(), z.int()),
      soldUnits: z.int(),
      revenueCents: z.int(),
    }),
  ),
  totals: z.object({
    arrivals: z.int(),
    requests: z.int(),
    won: z.int(),
    refused: z.record(z.string(), z.int()),
    soldUnits: z.int(),
    revenueCents: z.int(),
  }),
});

/** Years that every store behind the API can hold. */
const moment = z.iso.datetime({ offset: true }).refine((text) => {
  const atMs = Date.parse(text);
  return atMs >= Date.UTC(2000, 0) && atMs < Date.UTC(2101, 0);
}, "must lie in the years 2000 to 2100");

export const OpsSaleBody = z.strictObject({
  productId: z.string().max(60).optional(),
  title: lineOf(120).optional(),
  stock: z.int().min(1).max(1_000_000),
  priceCents: z.int().min(0).max(100_000_000).optional(),
  perUserLimit: z.int().min(1).max(1_000_000).optional(),
  startsAt: moment.optional(),
  endsAt: moment.optional(),
  paymentTimeoutMs: z.int().min(100).max(86_400_000).optional(),
  decisionCostMs: z.int().min(0).max(10_000).optional(),
  crowd: z.int().min(0).max(2_000).optional(),
  house: z.boolean().optional(),
});
export const OpsShoppersBody = z.strictObject({ count: z.int().min(1).max(10_000) });
export const OpsShoppers = z.object({
  shoppers: z.array(z.object({ userId: z.string(), token: z.string() })),
});

/** Settings that act at once. */
export const Knobs = z.strictObject({
  /** Wait per request in the risk stage, ms. */
  decisionCostMs: z.number().min(0).max(10_000),
  /** Admission token bucket; 0 switches it off. */
  tokenRatePerSecond: z.number().min(0).max(1_000_000),
  tokenBurst: z.number().min(1).max(1_000_000),
  /** Undecided requests above which the gateway sheds load. */
  backlogMax: z.int().min(1).max(1_000_000),
  /** Requests per user and second. */
  userRatePerSecond: z.number().min(1).max(10_000),
  /** Requests per address and second; off for loopback unless `limitLoopback`. */
  addressRatePerSecond: z.number().min(1).max(1_000_000),
  limitLoopback: z.boolean(),
  /** Velocity rule of risk: tries per user and minute. */
  velocityPerMinute: z.int().min(1).max(100_000),
  /** Accounts that may share a device. */
  accountsPerDevice: z.int().min(1).max(100_000),
  /** Members of each deciding stage in the back end; where every worker is a process, their number decides. */
  workers: z.int().min(1).max(8),
  /** The most that a deciding stage takes, decides and commits at once, messages. */
  batchMax: z.int().min(1).max(256),
  /** How long the outside world takes for a call, ms. Risk control waits 150 ms for its scores, then decides without. */
  paymentLatencyMs: z.number().min(0).max(10_000),
  smsLatencyMs: z.number().min(0).max(10_000),
  riskLatencyMs: z.number().min(0).max(10_000),
  /** Simulated shoppers that come to a sale of the house, or when somebody tries again with a crowd. */
  crowdShoppers: z.int().min(0).max(1_000),
});
export const KnobsPatch = Knobs.partial();

/** What becomes of replies on their way back to the gateways. */
export const ReplyFaults = z.strictObject({
  /** Every n-th never comes; 1 for all, 0 for none. */
  loseEvery: z.int().min(0).max(1_000_000),
  /** The others come up to so much later, each by a time of its own and so out of order. */
  delayMs: z.number().min(0).max(30_000),
});

/** Topics to which a message that nobody can read may be sent. */
export const poisonable = ["purchase-requests", "stock-commands", "reservations", "orders", "results"] as const;
export const PoisonBody = z.strictObject({ topic: z.enum(poisonable) });

/** One sample of the way of a purchase; rates are per second over the last second. */
export const FlowSample = z.object({
  atMs: z.int(),
  arrivals: z.number(),
  admitted: z.number(),
  decided: z.number(),
  refused: z.record(z.string(), z.number()),
  /** Requests published and not yet decided. */
  backlog: z.int(),
  /** Answer times of purchases over the last 10 s, ms; null without any. */
  answerMs: z.object({ p50: z.number().nullable(), p95: z.number().nullable(), p99: z.number().nullable() }),
  stages: z.array(z.object({ group: z.string(), topic: z.string(), ratePerSecond: z.number(), lagMessages: z.int() })),
});

/** The newest samples of one gateway, oldest first, each instant once. */
export const FlowHistory = z.object({ samples: z.array(FlowSample) });

export const verdicts = ["pass", "fail", "unknown"] as const;
export const AuditReport = z.object({
  verdict: z.enum(verdicts),
  invariants: z.array(z.object({ id: z.int(), title: z.string(), verdict: z.enum(verdicts), evidence: z.string() })),
});

/** Who reads what, by topic and group. A look of many reads: nothing in it is of one instant. */
export const OpsMembers = z.object({
  /** Engine time when the look began. */
  atMs: z.int(),
  groups: z.array(
    z.object({
      group: z.string(),
      topic: z.string(),
      /** Live ones. A process has a member in each group that it serves. */
      members: z.array(z.object({ id: z.string(), name: z.string(), process: z.string(), sinceMs: z.int() })),
      partitions: z.array(
        z.object({
          partition: z.int(),
          /** Id of the member that has it; null where nobody does. One that died has it until its lease runs out. */
          owner: z.string().nullable(),
          /** That member's process. */
          process: z.string().nullable(),
          /** Fencing epoch; grows with each change of owner. Null where nobody ever had it. */
          epoch: z.int().nullable(),
          leasedUntilMs: z.int().nullable(),
          /** The next offset to read. */
          committed: z.int(),
          end: z.int(),
          lagMessages: z.int(),
        }),
      ),
    }),
  ),
});

/** Jobs by kind; `failures` are the first of those that failed for good, each with the errors of its attempts. */
export const OpsJobs = z.object({
  kinds: z.array(
    z.object({
      kind: z.string(),
      /** To be done, and being done. */
      waiting: z.int(),
      delayed: z.int(),
      failed: z.int(),
      failures: z.array(
        z.object({
          id: z.string(),
          reason: z.string(),
          history: z.array(z.object({ atMs: z.int(), error: z.string() })),
        }),
      ),
    }),
  ),
});

export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
  instance: z.string().optional(),
});

export type Session = z.infer<typeof Session>;
export type DeviceShoppers = z.infer<typeof DeviceShoppers>;
export type Product = z.infer<typeof Product>;
export type Sale = z.infer<typeof Sale>;
export type Purchase = z.infer<typeof Purchase>;
export type Order = z.infer<typeof Order>;
export type SmsMessage = z.infer<typeof SmsMessage>;
export type SaleStatistics = z.infer<typeof SaleStatistics>;
export type OpsSaleBody = z.infer<typeof OpsSaleBody>;
export type Knobs = z.infer<typeof Knobs>;
export type ReplyFaults = z.infer<typeof ReplyFaults>;
export type FlowSample = z.infer<typeof FlowSample>;
export type FlowHistory = z.infer<typeof FlowHistory>;
export type OpsMembers = z.infer<typeof OpsMembers>;
export type AuditReport = z.infer<typeof AuditReport>;
export type Verdict = (typeof verdicts)[number];
export type Problem = z.infer<typeof Problem>;
