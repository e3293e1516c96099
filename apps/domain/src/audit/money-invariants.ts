/** Invariants 7 and 8: units and money are conserved. */
import type { ReservationEvent } from "../messages.ts";
import type { Evidence, PaymentRow, Recorded } from "./evidence.ts";
import { Examination, type InvariantReport } from "./examination.ts";
import { type Ledger, messagesOf, type PurchaseTrace, replay } from "./ledger.ts";
import { count, salesWithTerms } from "./stock-invariants.ts";

/** 7. stock = available + reserved + sold; a reservation ends once; sold ⇔ captured, everything else is voided. */
export function conservation(evidence: Evidence, ledger: Ledger): InvariantReport {
  const examination = new Examination(7, "Conservation of stock and payments", evidence, {
    topics: ["commands", "reservations", "paymentRequests"],
    groups: ["stock", "payment"],
    sources: ["state", "database", "provider"],
  });
  let changes = 0;
  for (const account of salesWithTerms(ledger, examination)) {
    for (const step of replay(account)) {
      changes += step.changes.length;
      if (step.changes.length > 1) {
        examination.offence("two changes of stock by one command", `${account.saleId} at ${step.position}`);
        continue;
      }
      const after = step.changes[0]?.value.stockAfter;
      if (after === undefined) continue;
      const { available, reserved, sold } = step.after;
      if (after.available !== available || after.reserved !== reserved || after.sold !== sold) {
        examination.offence("an event whose stock does not follow", `${account.saleId} at ${step.position}`);
      }
      if (Math.min(available, reserved, sold) < 0) {
        examination.offence("negative units", `${account.saleId} at ${step.position}`);
      }
    }
    const entry = evidence.state.looked ? evidence.state.found.sales.get(account.saleId) : undefined;
    if (entry !== undefined && entry.available + entry.reserved + entry.sold !== account.terms.stock) {
      examination.offence("units lost or invented in the stock entry", account.saleId);
    }
  }
  for (const trace of ledger.purchases.values()) examineLife(trace, examination);
  const payments = examineAuthorisations(evidence, ledger, examination);
  examination.examined(changes);
  examination.fact(
    `${count(changes, "stock change")} conserve the stock; ${payments.captured} captured and ${payments.voided} voided` +
      ` of ${count(payments.authorisations, "authorisation")}, as sold or not`,
  );
  return examination.report();
}

/** 8. Captured at the provider = captured in the database = Σ sold × price. */
export function moneyAddsUp(evidence: Evidence, ledger: Ledger): InvariantReport {
  const examination = new Examination(8, "Money adds up", evidence, {
    topics: ["commands", "reservations", "paymentRequests"],
    groups: ["stock", "payment"],
    sources: ["database", "provider"],
  });
  let soldCents = 0;
  let notYetSettledCents = 0;
  let reservations = 0;
  for (const trace of ledger.purchases.values()) {
    const price = termsOf(trace, ledger)?.priceCents;
    for (const { settled, value } of trace.events) {
      if (value.type === "reserved") reservations++;
      if (price !== undefined && (value.unitPriceCents !== price || value.amountCents !== price * value.quantity)) {
        examination.offence("an amount that is not quantity × price", trace.purchaseId);
      }
      if (value.type !== "sold") continue;
      soldCents += value.quantity * (price ?? value.unitPriceCents);
      if (!settled) notYetSettledCents += value.amountCents;
    }
  }
  if (evidence.provider.looked && evidence.database.looked) {
    const captured = evidence.provider.found.authorisations.filter(({ status }) => status === "captured");
    const atProvider = sumOf(captured.map(({ amountCents }) => amountCents));
    const rows = evidence.database.found.payments.filter(({ state }) => state === "captured");
    const inDatabase = sumOf(rows.map(({ amountCents }) => amountCents));
    const least = soldCents - notYetSettledCents;
    for (const [where, cents] of [
      ["at the provider", atProvider],
      ["in the database", inDatabase],
    ] as const) {
      if (cents > soldCents || cents < least) {
        examination.offence(
          `captured ${where} is not what was sold`,
          `${amountText(cents)}, not ${amountText(soldCents)}`,
        );
      }
    }
    const paid = reservations === 0 ? "" : soldCents === 0 ? "nothing was paid yet: " : "";
    examination.fact(`${paid}${amountText(atProvider)} captured, ${amountText(soldCents)} sold`);
  }
  examination.examined(reservations);
  return examination.report();
}

/** reserved, then at most one of sold and released; refused payments change nothing. */
function examineLife(trace: PurchaseTrace, examination: Examination): void {
  let state: "none" | "reserved" | "ended" = "none";
  for (const { value } of trace.events) {
    if (value.type === "pay-refused") continue;
    if (value.type === "reserved") state = "reserved";
    else if (state === "reserved") state = "ended";
    else if (state === "ended") examination.offence("a reservation that ended twice", trace.purchaseId);
    else examination.offence("a reservation that ended without having begun", trace.purchaseId);
  }
}

type SoldEvent = Extract<ReservationEvent, { type: "sold" }>;

/** What became of each payment, by its id. */
interface PaymentFates {
  readonly sold: ReadonlyMap<string, Recorded<SoldEvent>>;
  /** `settled` tells whether the payment group has seen the refusal. */
  readonly refused: ReadonlyMap<string, { readonly settled: boolean }>;
  /** `pay` commands; settled once the stock stage has decided them. */
  readonly asked: ReadonlyMap<string, { readonly settled: boolean }>;
  /** Payments whose request the payment group has finished. */
  readonly finishedRequests: ReadonlySet<string>;
}

function examineAuthorisations(evidence: Evidence, ledger: Ledger, examination: Examination) {
  const totals = { authorisations: 0, captured: 0, voided: 0 };
  if (!evidence.provider.looked || !evidence.database.looked) return totals;
  const fates = fatesOf(evidence, ledger);
  const payments = new Map(evidence.database.found.payments.map((payment) => [payment.id, payment]));
  const captured = new Set<string>();
  for (const { id, paymentId, status } of evidence.provider.found.authorisations) {
    totals.authorisations++;
    const payment = payments.get(paymentId);
    if (payment === undefined) {
      if (status === "captured") examination.offence("captured for no payment of ours", id);
      continue;
    }
    if (status === "captured") {
      totals.captured++;
      if (captured.has(payment.id)) examination.offence("captured twice", payment.id);
      captured.add(payment.id);
      if (!fates.sold.has(payment.id)) examination.offence("captured, but not sold", payment.reservationId);
    } else if (status === "voided") {
      totals.voided++;
      if (fates.sold.has(payment.id)) examination.offence("sold, but voided", payment.reservationId);
    } else if (status === "authorised") examineHeldMoney(payment, fates, examination);
  }
  for (const [paymentId, { settled, value }] of fates.sold) {
    if (settled && !captured.has(paymentId)) examination.offence("sold, but not captured", value.reservationId);
  }
  return totals;
}

/** Authorised money must be on its way to `sold` or to being voided. */
function examineHeldMoney(payment: PaymentRow, fates: PaymentFates, examination: Examination): void {
  if (fates.refused.get(payment.id)?.settled) examination.offence("refused, but not voided", payment.reservationId);
  if (fates.sold.has(payment.id) || fates.refused.has(payment.id)) return;
  const asked = fates.asked.get(payment.id);
  if (asked === undefined ? fates.finishedRequests.has(payment.id) : asked.settled) {
    examination.offence("authorised, and neither sold nor refused", payment.reservationId);
  }
}

function fatesOf(evidence: Evidence, ledger: Ledger): PaymentFates {
  const sold = new Map<string, Recorded<SoldEvent>>();
  const refused = new Map<string, { settled: boolean }>();
  const asked = new Map<string, { settled: boolean }>();
  for (const trace of ledger.purchases.values()) {
    for (const event of trace.events) {
      if (isSold(event)) sold.set(event.value.paymentId, event);
      else if (event.value.type === "pay-refused") refused.set(event.value.paymentId, event);
    }
  }
  for (const command of messagesOf(evidence.log.commands)) {
    if (command.value.type === "pay") asked.set(command.value.paymentId, command);
  }
  const finished = messagesOf(evidence.log.paymentRequests).filter(({ settled }) => settled);
  return { sold, refused, asked, finishedRequests: new Set(finished.map(({ value }) => value.paymentId as string)) };
}

const isSold = (event: Recorded<ReservationEvent>): event is Recorded<SoldEvent> => event.value.type === "sold";

function termsOf(trace: PurchaseTrace, ledger: Ledger) {
  const saleId = trace.events[0]?.value.saleId;
  return saleId === undefined ? undefined : ledger.sales.get(saleId)?.terms;
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

/** Cents as an amount; the shop's one currency is not named here. */
const amountText = (cents: number): string => (cents / 100).toFixed(2);
