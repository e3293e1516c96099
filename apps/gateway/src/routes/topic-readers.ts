/** Who reads which topic, for the control room. The order group reads no `orders`: it sends half messages there. */
import {
  admissions,
  groups,
  orders,
  paymentJobs,
  paymentRequests,
  purchaseRequests,
  reconciliationJobs,
  reservations,
  results,
  smsJobs,
  stockCommands,
} from "@plateau/domain";
import type { Topic } from "queue-core";

interface TopicReaders {
  readonly topic: Topic<unknown>;
  /** Groups that read it. */
  readonly groups: readonly string[];
  /** Groups that may have dead letters on it. */
  readonly mayGiveUp: readonly string[];
}

/** In the order of the way. */
export const topicReaders: readonly TopicReaders[] = [
  readers(purchaseRequests, [groups.risk]),
  readers(stockCommands, [groups.stock]),
  readers(reservations, [groups.order, groups.payment, groups.stats]),
  readers(orders, [groups.sms], [groups.order]),
  readers(smsJobs, [groups.sms]),
  readers(paymentRequests, [groups.payment]),
  readers(paymentJobs, [groups.payment]),
  readers(results, [groups.stats]),
  readers(admissions, [groups.stats]),
  readers(reconciliationJobs, [groups.reconciliation]),
];

function readers<T>(topic: Topic<T>, reading: readonly string[], sending: readonly string[] = []): TopicReaders {
  return { topic: topic as Topic<never> as Topic<unknown>, groups: reading, mayGiveUp: [...sending, ...reading] };
}
