/** Invariants 1, 2 and 6: what the stock stage may and may not decide, by replaying each sale's life. */
import type { Evidence } from "./evidence.ts";
import { Examination, type InvariantReport } from "./examination.ts";
import { type Ledger, messagesOf, replay, type SaleAccount, type Step } from "./ledger.ts";

/** 1. reserved + sold ≤ stock at every instant, as the events add up, as they say themselves, and at the end. */
export function noOversell(evidence: Evidence, ledger: Ledger): InvariantReport {
  const examination = new Examination(1, "No oversell", evidence, {
    topics: ["commands", "reservations"],
    groups: ["stock"],
    sources: ["state", "database"],
  });
  let changes = 0;
  let fullest = { share: -1, text: "" };
  for (const account of salesWithTerms(ledger, examination)) {
    const { stock } = account.terms;
    let peak = 0;
    for (const step of replay(account)) {
      changes += step.changes.length;
      peak = Math.max(peak, step.after.reserved + step.after.sold);
      const held = Math.max(step.after.reserved + step.after.sold, ...step.changes.map(claimedHeld));
      if (held > stock) examination.offence("more units held than in stock", `${account.saleId} at ${step.position}`);
    }
    if (peak / stock > fullest.share)
      fullest = { share: peak / stock, text: `${peak} of ${stock} in ${account.saleId}` };
    const entry = evidence.state.looked ? evidence.state.found.sales.get(account.saleId) : undefined;
    if (entry !== undefined && entry.reserved + entry.sold > stock) {
      examination.offence("the stock entry holds more than the stock", account.saleId);
    }
  }
  examineOrderedUnits(evidence, ledger, examination);
  examination.examined(changes);
  examination.fact(`${count(changes, "stock change")}, never above the stock; most held at once: ${fullest.text}`);
  return examination.report();
}

/** 2. Nobody was refused for stock while there was enough; every sold-out was true at the position it names. */
export function noUndersell(evidence: Evidence, ledger: Ledger): InvariantReport {
  const examination = new Examination(2, "No undersell", evidence, {
    topics: ["commands", "results", "reservations", "admissions"],
    groups: ["stock"],
  });
  const hints = hintsBySale(evidence);
  let decided = 0;
  let soldOut = 0;
  let hinted = 0;
  for (const account of salesWithTerms(ledger, examination)) {
    const openHints = hints.get(account.saleId) ?? new Map<number, number>();
    for (const step of replay(account)) {
      for (const { value: result } of step.results) {
        decided++;
        if (result.outcome !== "sold_out") continue;
        soldOut++;
        if (step.before.available >= result.quantity) {
          examination.offence("told sold out while there was enough", `${result.purchaseId} at ${step.position}`);
        }
      }
      const toldHere = openHints.get(step.position);
      if (toldHere === undefined) continue;
      openHints.delete(step.position);
      hinted += toldHere;
      if (step.after.available > 0) {
        examination.offence("a sold-out hint while units were left", `${account.saleId} at ${step.position}`);
      }
    }
    for (const position of openHints.keys()) {
      examination.offence("a sold-out hint that names no position of its sale", `${account.saleId} at ${position}`);
    }
  }
  examination.examined(decided);
  examination.fact(
    `${count(decided, "decision")}: ${soldOut} sold out by the stock stage and ${hinted} by hint, all true`,
  );
  return examination.report();
}

/** 6. reserved + sold units of one user never exceed the sale's limit, across sessions and keys. */
export function perUserLimit(evidence: Evidence, ledger: Ledger): InvariantReport {
  const examination = new Examination(6, "Per-user limit", evidence, {
    topics: ["commands", "results", "reservations"],
    groups: ["stock"],
    sources: ["state", "database"],
  });
  let buyers = 0;
  let refused = 0;
  for (const account of salesWithTerms(ledger, examination)) {
    const limit = account.terms.perUserLimit;
    const units = new Map<string, number>();
    const busy = new Set<string>();
    for (const step of replay(account)) {
      refused += limitRefusals(step, units, limit, examination);
      countUnits(step, account.saleId, units, limit, examination);
      if (!step.command.settled) for (const { value } of step.changes) busy.add(value.userId);
    }
    buyers += units.size;
    for (const [userId, held] of units) {
      if (busy.has(userId) || !evidence.state.looked) continue;
      const entry = evidence.state.found.buyers.get(`${account.saleId}:${userId}`) ?? 0;
      if (entry !== held)
        examination.offence("the buyer's entry differs from the events", `${account.saleId}:${userId}`);
    }
  }
  examineOrderedLimits(evidence, ledger, examination);
  examination.examined(buyers);
  examination.fact(`${count(buyers, "buyer")} within the limit; ${refused} refused at the limit, all rightly`);
  return examination.report();
}

function limitRefusals(step: Step, units: Map<string, number>, limit: number, examination: Examination): number {
  let refused = 0;
  for (const { value } of step.results) {
    if (value.reason !== "limit-reached") continue;
    refused++;
    if ((units.get(value.userId) ?? 0) + value.quantity <= limit) {
      examination.offence("refused at the limit without having reached it", `${value.purchaseId} at ${step.position}`);
    }
  }
  return refused;
}

function countUnits(
  step: Step,
  saleId: string,
  units: Map<string, number>,
  limit: number,
  examination: Examination,
): void {
  for (const { value } of step.changes) {
    const change = value.type === "reserved" ? value.quantity : value.type === "released" ? -value.quantity : 0;
    const held = (units.get(value.userId) ?? 0) + change;
    units.set(value.userId, held);
    if (held > limit) examination.offence("more units than one user may have", `${saleId}:${value.userId}`);
  }
}

/** Orders that hold units, summed by `groupOf`. */
function orderedUnits(evidence: Evidence, groupOf: (order: { saleId: string; userId: string }) => string) {
  const units = new Map<string, number>();
  if (!evidence.database.looked) return units;
  for (const order of evidence.database.found.orders) {
    if (order.state !== "awaiting_payment" && order.state !== "paid") continue;
    units.set(groupOf(order), (units.get(groupOf(order)) ?? 0) + order.quantity);
  }
  return units;
}

/**
 * The database follows: an order whose release is still on its way holds its units a moment longer than the
 * stock stage does, and another order may already have them. Units of such orders are not held against it.
 */
function examineOrderedUnits(evidence: Evidence, ledger: Ledger, examination: Examination): void {
  if (evidence.lag.length > 0 || hasUnsettled(evidence)) return;
  for (const [saleId, held] of orderedUnits(evidence, (order) => order.saleId)) {
    const stock = ledger.sales.get(saleId)?.terms?.stock;
    if (stock !== undefined && held > stock) examination.offence("orders hold more than the stock", saleId);
  }
}

function examineOrderedLimits(evidence: Evidence, ledger: Ledger, examination: Examination): void {
  if (evidence.lag.length > 0 || hasUnsettled(evidence)) return;
  for (const [buyer, held] of orderedUnits(evidence, (order) => `${order.saleId}:${order.userId}`)) {
    const limit = ledger.sales.get(buyer.slice(0, buyer.indexOf(":")))?.terms?.perUserLimit;
    if (limit !== undefined && held > limit) examination.offence("orders above one user's limit", buyer);
  }
}

const hasUnsettled = (evidence: Evidence): boolean =>
  messagesOf(evidence.log.reservations).some((message) => !message.settled);

function claimedHeld(change: Step["changes"][number]): number {
  return change.value.stockAfter.reserved + change.value.stockAfter.sold;
}

function hintsBySale(evidence: Evidence): Map<string, Map<number, number>> {
  const bySale = new Map<string, Map<number, number>>();
  for (const { value } of messagesOf(evidence.log.admissions)) {
    const positions = bySale.get(value.saleId) ?? new Map<number, number>();
    bySale.set(value.saleId, positions);
    for (const hint of value.hints) positions.set(hint.position, (positions.get(hint.position) ?? 0) + hint.count);
  }
  return bySale;
}

export type ReplayableSale = SaleAccount & { readonly terms: NonNullable<SaleAccount["terms"]> };

/** The sales that can be replayed; one with decisions but without terms makes the examination blind. */
export function salesWithTerms(ledger: Ledger, examination: Examination): ReplayableSale[] {
  const replayable: ReplayableSale[] = [];
  for (const account of ledger.sales.values()) {
    if (account.terms !== undefined) replayable.push({ ...account, terms: account.terms });
    else if (account.changesAt.size > 0) examination.couldNotLook(`no terms of sale ${account.saleId} in the log`);
  }
  return replayable;
}

export const count = (number: number, noun: string): string =>
  `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;
