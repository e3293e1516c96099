/**
 * Invariant 11: the queue delivered what it acknowledged, invented nothing, and kept the order of each key; and
 * at its far end each order event has exactly one SMS effect.
 */
import type { PurchaseEnded, ReservationEvent } from "../messages.ts";
import type { Evidence, LogEvidence, Recorded, TopicOfLog } from "./evidence.ts";
import { Examination, type InvariantReport } from "./examination.ts";
import { type Ledger, messagesOf } from "./ledger.ts";
import { count } from "./stock-invariants.ts";

const topics: readonly TopicOfLog[] = ["requests", "commands", "results", "reservations", "orders"];

/** The id an SMS about an order event goes by, here and as idempotency key at the provider. */
export const smsIdOf = (orderId: string, event: string): string => `${orderId}:${event}`;

export function queueKeepsItsWord(evidence: Evidence, ledger: Ledger): InvariantReport {
  const examination = new Examination(11, "Queue: delivered = acknowledged, in order, effects once", evidence, {
    topics,
    groups: ["risk", "stock", "order", "sms"],
    sources: ["database", "provider"],
  });
  examineOffsets(evidence.log, examination);
  examineDelivery(evidence, ledger, examination);
  examineOrderOfRequests(evidence, examination);
  examineOrderOfEvents(messagesOf(evidence.log.results), "results", ({ saleId }) => saleId, examination);
  const byBuyer = ({ saleId, userId }: ReservationEvent) => `${saleId}:${userId}`;
  examineOrderOfEvents(messagesOf(evidence.log.reservations), "reservations", byBuyer, examination);
  examineSms(evidence, examination);
  return examination.report();
}

function examineOffsets(log: LogEvidence, examination: Examination): void {
  let messages = 0;
  let unreadable = 0;
  for (const topic of topics) {
    const source = log[topic];
    if (!source.looked) continue;
    unreadable += source.found.unreadable ?? 0;
    for (const { partition, start, end, read } of source.found.partitions) {
      messages += read;
      if (read !== end - start) examination.offence("offsets missing", `${topic}/${partition}: ${end - start - read}`);
    }
  }
  examination.fact(`${count(messages, "message")} without a gap`);
  if (unreadable > 0) examination.fact(`${unreadable} of them no messages of their topic`);
}

/** Each request becomes one command; each decision answers a command that the log has. */
function examineDelivery(evidence: Evidence, ledger: Ledger, examination: Examination): void {
  let delivered = 0;
  for (const trace of ledger.purchases.values()) {
    const { purchaseId } = trace;
    delivered += Math.min(trace.commands, trace.requests);
    if (trace.commands > trace.requests) examination.offence("delivered more often than published", purchaseId);
    if (trace.commands < trace.settledRequests) examination.offence("published, acknowledged and lost", purchaseId);
    if (trace.results.length > 0 && trace.commands === 0) examination.offence("a result nobody asked for", purchaseId);
  }
  for (const account of ledger.sales.values()) {
    const positions = new Set(account.commands.map(({ offset }) => offset));
    for (const position of [...account.changesAt.keys(), ...account.resultsAt.keys()]) {
      if (!positions.has(position)) {
        examination.offence("a decision at a position without a command", `${account.saleId} at ${position}`);
      }
    }
  }
  examineHistoryDelivery(evidence, ledger, examination);
  examination.examined(delivered);
  examination.fact(`${count(delivered, "request")} delivered once each`);
}

/** A client that was given a purchase's id was told that the request is safe. */
function examineHistoryDelivery(evidence: Evidence, ledger: Ledger, examination: Examination): void {
  const bound = new Set(["queued", "won", "rejected", "expired"]);
  for (const { type, op, value } of evidence.history ?? []) {
    if (type !== "ok" || op !== "purchase" || value?.purchaseId === undefined || !bound.has(value.state ?? ""))
      continue;
    if ((ledger.purchases.get(value.purchaseId)?.requests ?? 0) === 0) {
      examination.offence("acknowledged to a client, and not in the log", value.purchaseId);
    }
  }
}

/** One shopper's requests for one sale reach the stock stage in the order in which they were published. */
function examineOrderOfRequests(evidence: Evidence, examination: Examination): void {
  const published = new Map<string, string[]>();
  for (const { value } of messagesOf(evidence.log.requests)) {
    const key = `${value.saleId}:${value.userId}`;
    const ids = published.get(key);
    if (ids === undefined) published.set(key, [value.purchaseId]);
    else ids.push(value.purchaseId);
  }
  const next = new Map<string, number>();
  for (const { value } of messagesOf(evidence.log.commands)) {
    if (value.type !== "purchase" && value.type !== "resolve") continue;
    const key = `${value.saleId}:${value.userId}`;
    const index = next.get(key) ?? 0;
    next.set(key, index + 1);
    const expected = published.get(key)?.[index];
    if (expected !== undefined && expected !== value.purchaseId) {
      examination.offence("one shopper's requests out of order", key);
    }
  }
}

function examineOrderOfEvents<T extends PurchaseEnded | ReservationEvent>(
  messages: readonly Recorded<T>[],
  topic: string,
  keyOf: (value: T) => string,
  examination: Examination,
): void {
  const last = new Map<string, number>();
  for (const { value } of messages) {
    const key = keyOf(value);
    const before = last.get(key);
    if (before !== undefined && value.position <= before) {
      examination.offence(`${topic} of one key out of order or doubled`, `${key} at ${value.position}`);
    }
    last.set(key, value.position);
  }
}

function examineSms(evidence: Evidence, examination: Examination): void {
  if (!evidence.database.looked || !evidence.provider.looked) return;
  const due = new Map<string, boolean>();
  for (const { settled, value } of messagesOf(evidence.log.orders)) {
    const id = smsIdOf(value.orderId, value.type);
    // Told again after a crash, it is still one event.
    due.set(id, settled || due.get(id) === true);
  }
  const recorded = tally(evidence.database.found.sms.map(({ orderId, event }) => smsIdOf(orderId, event)));
  const sent = tally(evidence.provider.found.sms.map(({ key }) => key));
  for (const [where, times] of [
    ["in the inbox", recorded],
    ["at the provider", sent],
  ] as const) {
    for (const [id, number] of times) {
      if (!due.has(id)) examination.offence(`an SMS ${where} about nothing`, id);
      if (number > 1) examination.offence(`the same SMS ${where} more than once`, id);
    }
    for (const [id, settled] of due) {
      if (settled && !times.has(id)) examination.offence(`an SMS missing ${where}`, id);
    }
  }
  examination.fact(`${count(due.size, "order event")}, ${sent.size} SMS`);
}

function tally(ids: readonly string[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const id of ids) times.set(id, (times.get(id) ?? 0) + 1);
  return times;
}
