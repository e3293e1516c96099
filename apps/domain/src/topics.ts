/** The topics of the sale, and who reads them. Partition counts are fixed for the life of a log. */
import { defineTopic, type Topic } from "queue-core";
import type { ReconciliationOrder, SettlingEvent, StoredJob } from "./jobs.ts";
import type {
  AdmissionWindow,
  OrderEvent,
  PaymentRequest,
  PurchaseEnded,
  RequestMessage,
  ReservationEvent,
  StockCommand,
} from "./messages.ts";

export const purchaseRequests = defineTopic<RequestMessage>({
  name: "purchase-requests",
  partitions: 8,
  keyOf: (message) => message.userId,
  backlog: { maxMessages: 200_000, maxBytes: 128 * 1024 * 1024 },
});

export const stockCommands = defineTopic<StockCommand>({
  name: "stock-commands",
  partitions: 8,
  keyOf: (command) => command.saleId,
});

export const results = defineTopic<PurchaseEnded>({ name: "results", partitions: 4, keyOf: (ended) => ended.saleId });

export const reservations = defineTopic<ReservationEvent>({
  name: "reservations",
  partitions: 4,
  keyOf: (event) => `${event.saleId}:${event.userId}`,
});

export const orders = defineTopic<OrderEvent>({ name: "orders", partitions: 4, keyOf: (event) => event.orderId });

export const paymentRequests = defineTopic<PaymentRequest>({
  name: "payment-requests",
  partitions: 4,
  keyOf: (request) => request.reservationId,
});

export const admissions = defineTopic<AdmissionWindow>({
  name: "admissions",
  partitions: 1,
  keyOf: (window) => window.saleId,
});

/**
 * The embedded job store: a topic for each kind of job. One partition, so that one process at a time works on a kind
 * and its rate limit holds without being shared.
 */
const jobTopic = <T>(name: string): Topic<StoredJob<T>> =>
  defineTopic<StoredJob<T>>({ name, partitions: 1, keyOf: (job) => job.id });

export const smsJobs = jobTopic<OrderEvent>("sms-jobs");
export const paymentJobs = jobTopic<SettlingEvent>("payment-jobs");
export const reconciliationJobs = jobTopic<ReconciliationOrder>("reconciliation-jobs");

export const allTopics = [
  purchaseRequests,
  stockCommands,
  results,
  reservations,
  orders,
  paymentRequests,
  admissions,
  smsJobs,
  paymentJobs,
  reconciliationJobs,
] as const;

/**
 * Consumer groups: each reads every message of its topics, independently of the others. `payment` and `sms` make jobs
 * of events and work on those of their kind.
 */
export const groups = {
  risk: "risk",
  stock: "stock",
  order: "order",
  payment: "payment",
  sms: "sms",
  stats: "stats",
  reconciliation: "reconciliation",
} as const;
