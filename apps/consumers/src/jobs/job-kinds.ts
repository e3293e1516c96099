/**
 * The three kinds of jobs. Both providers take 500 requests a second before they answer 429: a limit of our own below
 * that keeps a spike of orders from running into theirs, and leaves room for the payments' authorisations, which are
 * no jobs because a shopper waits for them.
 */
import {
  type OrderEvent,
  paymentJobs,
  type ReconciliationOrder,
  reconciliationJobs,
  type SettlingEvent,
  smsJobs,
} from "@plateau/domain";
import type { JobKind } from "./job-queue.ts";

/** One SMS for an event of an order. Id: `<orderId>:<event>`, also the provider's idempotency key. */
export const smsJobKind: JobKind<OrderEvent> = {
  name: "sms",
  topic: smsJobs,
  concurrency: 24,
  attempts: 8,
  backoff: { firstMs: 500, longestMs: 60_000 },
  rate: { max: 40, perMs: 100 },
};

/** Capture after `sold`, void after `pay-refused`. Id: `<paymentId>:<event>`. */
export const paymentJobKind: JobKind<SettlingEvent> = {
  name: "payment",
  topic: paymentJobs,
  concurrency: 12,
  attempts: 10,
  backoff: { firstMs: 500, longestMs: 120_000 },
  rate: { max: 30, perMs: 100 },
};

/** Once a minute; one that fails is followed by the next anyhow. */
export const reconciliationJobKind: JobKind<ReconciliationOrder> = {
  name: "reconciliation",
  topic: reconciliationJobs,
  concurrency: 1,
  attempts: 2,
  backoff: { firstMs: 5_000, longestMs: 5_000 },
};
