/** The topics of the sale, and who reads them. Partition counts are fixed for the life of a log. */
import { defineTopic } from "queue-core";
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

export const allTopics = [
  purchaseRequests,
  stockCommands,
  results,
  reservations,
  orders,
  paymentRequests,
  admissions,
] as const;

/** Consumer groups: each reads every message of its topics, independently of the others. */
export const groups = {
  risk: "risk",
  stock: "stock",
  order: "order",
  payment: "payment",
  sms: "sms",
  stats: "stats",
} as const;
