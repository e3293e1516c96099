/** Invariants 5 and 10: orders and statistics are projections of what the stock stage decided, no more, no less. */
import { orderIdOf } from "../ids.ts";
import type { ReservationEvent } from "../messages.ts";
import type { DatabaseEvidence, Evidence, OrderRow, Recorded, StateEvidence } from "./evidence.ts";
import { Examination, type InvariantReport } from "./examination.ts";
import { type Ledger, replay } from "./ledger.ts";
import { expectedStatistics } from "./statistics.ts";
import { count, type ReplayableSale, salesWithTerms } from "./stock-invariants.ts";

/**
 * 5. Won ⇔ exactly one order, for the same shopper, sale, units and amount, and announced. It may be announced again
 * after a crash: readers of `orders` take each event once, which invariant 11 holds them to.
 */
export function oneOrderPerWin(evidence: Evidence, ledger: Ledger): InvariantReport {
  const examination = new Examination(5, "Won ⇔ exactly one order", evidence, {
    topics: ["results", "reservations", "orders"],
    groups: ["order"],
    sources: ["database"],
  });
  const rows = new Map<string, OrderRow[]>();
  for (const row of evidence.database.looked ? evidence.database.found.orders : []) {
    rows.set(row.reservationId, [...(rows.get(row.reservationId) ?? []), row]);
  }
  let won = 0;
  let orders = 0;
  for (const trace of ledger.purchases.values()) {
    const ordersOfIt = rows.get(trace.purchaseId) ?? [];
    const created = (ledger.orders.get(trace.purchaseId) ?? []).filter(({ value }) => value.type === "created");
    const reserved = trace.events.find(({ value }) => value.type === "reserved");
    orders += ordersOfIt.length;
    if (reserved === undefined) {
      if (ordersOfIt.length + created.length > 0) examination.offence("an order nobody won", trace.purchaseId);
      continue;
    }
    won++;
    if (ordersOfIt.length > 1) examination.offence("won once, ordered more than once", trace.purchaseId);
    const [order] = ordersOfIt;
    if (order !== undefined && !isOrderOf(order, reserved.value)) {
      examination.offence("an order that is not what was won", trace.purchaseId);
    }
    if (!reserved.settled) continue;
    if (order === undefined && evidence.database.looked) examination.offence("won, but no order", trace.purchaseId);
    else if (created.length === 0) examination.offence("an order that was never announced", trace.purchaseId);
  }
  for (const reservationId of [...rows.keys(), ...ledger.orders.keys()]) {
    if (!ledger.purchases.has(reservationId)) examination.offence("an order nobody won", reservationId);
  }
  examination.examined(won);
  examination.fact(`${count(won, "purchase")} won, ${count(orders, "order")}`);
  return examination.report();
}

/** 10. What poll and stream answer from, the database and the statistics agree with the log. */
export function everybodyAgrees(evidence: Evidence, ledger: Ledger): InvariantReport {
  const examination = new Examination(10, "Look-ups, database and statistics agree", evidence, {
    topics: ["commands", "results", "reservations", "admissions"],
    groups: ["stock", "order", "stats"],
    sources: ["state", "database"],
  });
  if (evidence.state.looked) {
    for (const sale of salesWithTerms(ledger, examination)) examineSaleEntry(sale, evidence.state.found, examination);
    examineReservationEntries(evidence.state.found, ledger, examination);
  }
  if (evidence.database.looked) {
    examineSaleRows(evidence.database.found, ledger, examination);
    examineOrderStates(evidence.database.found, ledger, examination);
    examineStatistics(evidence, evidence.database.found, examination);
  }
  return examination.report();
}

function isOrderOf(order: OrderRow, won: ReservationEvent): boolean {
  return (
    order.id === orderIdOf(won.reservationId) &&
    order.saleId === won.saleId &&
    order.userId === won.userId &&
    order.quantity === won.quantity &&
    order.amountCents === won.amountCents
  );
}

/** The entry names the position it is as of; replayed to there, the events must give the same units. */
function examineSaleEntry(account: ReplayableSale, state: StateEvidence, examination: Examination): void {
  const entry = state.sales.get(account.saleId);
  if (entry === undefined) {
    const opened = account.commands.some(({ settled, value }) => settled && value.type === "open-sale");
    if (opened) examination.offence("a look-up does not know an opened sale", account.saleId);
    return;
  }
  let units = { available: account.terms.stock, reserved: 0, sold: 0 };
  for (const step of replay(account)) {
    if (step.position <= entry.asOf.position) units = step.after;
    else if (step.changes.some(({ settled }) => settled)) {
      examination.offence("the stock entry lacks a change", `${account.saleId} at ${step.position}`);
    }
  }
  if (entry.available !== units.available || entry.reserved !== units.reserved || entry.sold !== units.sold) {
    const shown = `${entry.available}/${entry.reserved}/${entry.sold}`;
    const added = `${units.available}/${units.reserved}/${units.sold}`;
    examination.offence(
      "the stock entry differs from the events (available/reserved/sold)",
      `${account.saleId}: ${shown}, not ${added}`,
    );
  }
}

function examineReservationEntries(state: StateEvidence, ledger: Ledger, examination: Examination): void {
  let compared = 0;
  for (const [purchaseId, { reservation }] of state.results) {
    if (reservation === undefined) continue;
    const events = ledger.purchases.get(purchaseId)?.events ?? [];
    compared++;
    if (reservation.state !== stateAt(events, reservation.version)) {
      examination.offence("a look-up gives a reservation another state than the log", purchaseId);
    }
    if (reservation.version < settledVersion(events)) {
      examination.offence("a look-up lags behind the log", purchaseId);
    }
  }
  examination.examined(compared);
  examination.fact(`${count(compared, "look-up")} of reservations`);
}

function examineSaleRows(database: DatabaseEvidence, ledger: Ledger, examination: Examination): void {
  for (const row of database.sales) {
    const terms = ledger.sales.get(row.id)?.terms;
    if (terms === undefined) continue;
    const same =
      terms.stock === row.stock && terms.priceCents === row.priceCents && terms.perUserLimit === row.perUserLimit;
    if (!same) examination.offence("the catalogue has other terms than the stock stage", row.id);
  }
}

function examineOrderStates(database: DatabaseEvidence, ledger: Ledger, examination: Examination): void {
  for (const order of database.orders) {
    const events = ledger.purchases.get(order.reservationId)?.events ?? [];
    const state = stateAt(events, order.version);
    const shouldBe = state === "reserved" ? "awaiting_payment" : state === "sold" ? "paid" : state;
    if (order.state !== shouldBe) examination.offence("an order in another state than its reservation", order.id);
    if (order.version < settledVersion(events)) examination.offence("an order lags behind its reservation", order.id);
  }
  examination.examined(database.orders.length);
  examination.fact(`${count(database.orders.length, "order")} in the state of their reservations`);
}

function examineStatistics(evidence: Evidence, database: DatabaseEvidence, examination: Examination): void {
  const expected = expectedStatistics(evidence.log, database.countedTo);
  const counted = new Map<string, number>();
  for (const cell of database.statistics) {
    const key = `${cell.saleId} ${cell.metric}${cell.label === "" ? "" : ` ${cell.label}`}`;
    counted.set(key, (counted.get(key) ?? 0) + cell.value);
  }
  for (const key of new Set([...expected.keys(), ...counted.keys()])) {
    const should = expected.get(key) ?? 0;
    const is = counted.get(key) ?? 0;
    if (is !== should) examination.offence("statistics that do not add up", `${key}: ${is}, not ${should}`);
  }
  examination.examined(expected.size);
  examination.fact(`${count(expected.size, "statistic")} equal to sums over the log`);
}

/** The state that the event with this version gave the reservation. */
function stateAt(events: readonly Recorded<ReservationEvent>[], version: number): string | undefined {
  const event = events.find(({ value }) => value.version === version && value.type !== "pay-refused")?.value;
  if (event === undefined) return undefined;
  return event.type === "released" ? event.cause : event.type;
}

function settledVersion(events: readonly Recorded<ReservationEvent>[]): number {
  let version = 0;
  for (const { settled, value } of events) {
    if (settled && value.type !== "pay-refused" && value.version > version) version = value.version;
  }
  return version;
}
