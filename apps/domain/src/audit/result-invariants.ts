/** Invariants 3, 4 and 9: every purchase ends, once, and nothing told about it is contradicted later. */
import type { PurchaseEnded, PurchaseResult, ReservationEvent } from "../messages.ts";
import { mayHaveForgottenResults } from "../stock/sale.ts";
import type { Evidence, Recorded } from "./evidence.ts";
import { Examination, type InvariantReport } from "./examination.ts";
import { hintsHeard, type Told, toldByPurchase } from "./history.ts";
import { type Ledger, type PurchaseTrace, replay, type Step } from "./ledger.ts";
import { count, salesWithTerms } from "./stock-invariants.ts";

/** How long after its payment deadline a reservation may still be seen unended: the delay's own delivery, ms. */
const expiryGraceMs = 10_000;

/** 3. One result per purchase id, across retries and crashes, and the look-up gives that one. */
export function oneResult(evidence: Evidence, ledger: Ledger): InvariantReport {
  const examination = new Examination(3, "One result per purchase", evidence, {
    topics: ["requests", "commands", "results", "reservations"],
    groups: ["stock"],
    sources: ["state"],
  });
  let ended = 0;
  let repeats = 0;
  for (const trace of ledger.purchases.values()) {
    const [first, ...more] = trace.results;
    if (first === undefined) continue;
    ended++;
    repeats += Math.max(trace.commands - 1, 0);
    if (more.length > 0) examination.offence("more than one result", trace.purchaseId);
    compareWithLookUp(first, evidence, examination);
    const reserved = trace.events.filter(({ value }) => value.type === "reserved");
    if (reserved.length > 1) examination.offence("reserved more than once", trace.purchaseId);
    const atOnce = reserved.some(({ value }) => value.position === first.value.position);
    if (first.value.outcome === "won" && !atOnce) examination.offence("won without a reservation", trace.purchaseId);
    if (first.value.outcome !== "won" && reserved.length > 0) {
      examination.offence(`${first.value.outcome}, and yet reserved`, trace.purchaseId);
    }
  }
  if (evidence.state.looked) {
    for (const purchaseId of evidence.state.found.results.keys()) {
      if (!ledger.purchases.get(purchaseId)?.results.length) {
        examination.offence("a look-up gives a result that was never told", purchaseId);
      }
    }
  }
  examination.examined(ended);
  examination.fact(`${count(ended, "purchase")} ended with one result each; ${repeats} repeats answered from it`);
  return examination.report();
}

/** 4. What was told stays true: against the rules at the position that it names, and against what was heard. */
export function truthfulAnswers(evidence: Evidence, ledger: Ledger): InvariantReport {
  const examination = new Examination(4, "Truthful answers", evidence, {
    topics: ["commands", "results", "reservations"],
    groups: ["stock"],
    sources: ["state"],
  });
  let decided = 0;
  const hints = hintsHeard(evidence.history ?? []);
  for (const account of salesWithTerms(ledger, examination)) {
    const heard = hints.get(account.saleId) ?? new Set<number>();
    let closed = false;
    for (const step of replay(account)) {
      if (heard.delete(step.position) && step.after.available > 0) {
        examination.offence("a client told sold out while units were left", `${account.saleId} at ${step.position}`);
      }
      if (step.command.value.type === "close-sale") closed = true;
      const open = (atMs: number) => !closed && atMs >= account.terms.startsAtMs && atMs < account.terms.endsAtMs;
      decided += step.results.length;
      for (const { value } of step.results) examineReason(value, step, open, examination);
    }
    for (const position of heard) {
      examination.offence(
        "a client told sold out as of a position unknown to the log",
        `${account.saleId} at ${position}`,
      );
    }
  }
  examination.examined(decided);
  examination.fact(`${count(decided, "answer")} of the stock stage true by the rules`);
  if (evidence.history === undefined) {
    examination.fact("no driver's history was given, so what clients heard was checked by look-ups alone");
  } else {
    const heard = examineHistory(evidence, ledger, examination);
    examineNotFound(evidence, examination);
    if (heard === 0) examination.couldNotLook("the driver's history tells of no answer");
    examination.fact(`${count(heard, "purchase")} heard of by clients, none told two stories`);
  }
  return examination.report();
}

/** 9. Every published purchase ends, and every reservation does in its time. */
export function everyPurchaseEnds(evidence: Evidence, ledger: Ledger): InvariantReport {
  const examination = new Examination(9, "Every published purchase ends", evidence, {
    topics: ["requests", "commands", "results", "reservations"],
    groups: ["risk", "stock"],
  });
  let ended = 0;
  let underWay = 0;
  for (const trace of ledger.purchases.values()) {
    if (trace.results.length > 0) ended++;
    else if (trace.settledCommands > 0 || trace.settledRequests > 0) {
      if (!mayBeForgotten(trace, evidence, ledger)) examination.offence("published and never ended", trace.purchaseId);
    } else if (trace.requests > 0) underWay++;
    const last = trace.events.at(-1)?.value;
    if (last?.type === "reserved" && evidence.nowMs > last.payBeforeMs + expiryGraceMs) {
      examination.offence("still reserved long after its payment deadline", trace.purchaseId);
    }
  }
  for (const told of toldByPurchase(evidence.history ?? []).values()) {
    if (told.purchaseId === undefined || ledger.purchases.get(told.purchaseId)?.results.length) continue;
    examination.offence("accepted by an answer and never ended", told.purchaseId);
  }
  examination.examined(ended);
  examination.fact(`${count(ended, "purchase")} ended, ${underWay} published since the audit began`);
  return examination.report();
}

function compareWithLookUp(first: Recorded<PurchaseEnded>, evidence: Evidence, examination: Examination): void {
  if (!evidence.state.looked) return;
  const { value } = first;
  const entry = evidence.state.found.results.get(value.purchaseId);
  if (entry === undefined) {
    const sale = evidence.state.found.sales.get(value.saleId);
    if (first.settled && sale !== undefined && !mayHaveForgottenResults(sale, evidence.nowMs)) {
      examination.offence("a look-up finds no result", value.purchaseId);
    }
  } else if (!tellsTheSame(entry, value)) {
    examination.offence("a look-up gives another result than was told", value.purchaseId);
  }
}

function tellsTheSame(entry: PurchaseResult, told: PurchaseEnded): boolean {
  return (
    entry.outcome === told.outcome &&
    entry.reason === told.reason &&
    entry.userId === told.userId &&
    entry.saleId === told.saleId &&
    entry.quantity === told.quantity &&
    entry.position === told.position &&
    entry.decidedAtMs === told.decidedAtMs
  );
}

function examineReason(
  told: PurchaseEnded,
  step: Step,
  open: (atMs: number) => boolean,
  examination: Examination,
): void {
  const command = step.command.value;
  if (command.type !== "purchase" && command.type !== "resolve") {
    examination.offence("a result at a position that asked for none", `${told.purchaseId} at ${step.position}`);
  } else if (command.purchaseId !== told.purchaseId) {
    examination.offence("a result at another purchase's position", `${told.purchaseId} at ${step.position}`);
  } else if (command.type === "purchase") {
    if (told.outcome === "expired" && told.decidedAtMs <= command.decideByMs) {
      examination.offence("told expired before its deadline", told.purchaseId);
    }
    if (told.reason === "sale-not-open" && open(command.requestedAtMs)) {
      examination.offence("told not open while the sale was open", told.purchaseId);
    }
    if (told.outcome === "won" && !open(command.requestedAtMs)) {
      examination.offence("won while the sale was not open", told.purchaseId);
    }
    if (told.outcome === "won" && command.risk.verdict === "refuse") {
      examination.offence("won although risk control refused it", told.purchaseId);
    }
  }
}

const afterWinning = ["won", "paid", "cancelled", "payment_expired"] as const;
type AfterWinning = (typeof afterWinning)[number];
const isAfterWinning = (state: string): state is AfterWinning => afterWinning.some((known) => known === state);

/** Returns how many purchases clients heard something about. */
function examineHistory(evidence: Evidence, ledger: Ledger, examination: Examination): number {
  const told = toldByPurchase(evidence.history ?? []);
  for (const [purchase, story] of told) {
    const trace = story.purchaseId === undefined ? undefined : ledger.purchases.get(story.purchaseId);
    examineStory(purchase, story, trace, examination);
  }
  return told.size;
}

/** Whoever was given a purchase's id finds it from then on, over every restart. */
function examineNotFound({ history = [], state, nowMs }: Evidence, examination: Examination): void {
  const lastTold = new Map<string, string>();
  for (const { type, op, key, value } of history) {
    if (type === "ok" && value?.purchaseId !== undefined && value.state !== undefined) {
      lastTold.set(value.purchaseId, value.state);
    }
    if (type !== "fail" || op !== "look-up" || value?.status !== 404) continue;
    const before = lastTold.get(key);
    const sale = state.looked ? state.found.sales.get(value.saleId) : undefined;
    if (before !== undefined && !mayHaveForgottenResults(sale, nowMs)) {
      examination.offence(`told ${before}, then not found`, key);
    }
  }
}

/**
 * A story goes: hints that bind nothing (`sold_out`), then `queued`, then one end, then what became of a won one.
 * A shopper last told `sold_out` by a hint must not own a reservation.
 */
function examineStory(
  purchase: string,
  { purchaseId, states }: Told,
  trace: PurchaseTrace | undefined,
  examination: Examination,
): void {
  const name = purchaseId ?? purchase;
  let sofar: Told["states"][number] | undefined;
  for (const state of states) {
    if (sofar !== undefined && !mayFollow(sofar, state)) {
      examination.offence(`told ${sofar}, then ${state}`, name);
    }
    sofar = state;
  }
  const result = trace?.results[0]?.value;
  if (sofar === undefined || sofar === "queued") return;
  if (isAfterWinning(sofar)) {
    if (result === undefined) examination.offence(`told ${sofar}, but the log has no result`, name);
    else if (result.outcome !== "won") examination.offence(`told ${sofar}, decided ${result.outcome}`, name);
    else if (!reservationIs(sofar, trace?.events ?? [])) examination.offence(`told ${sofar}, which it is not`, name);
  } else if (result === undefined) {
    // Refusals before publishing bind nothing and leave no result.
    if (sofar === "expired") examination.offence("told expired, but the log has no result", name);
  } else if (result.outcome !== sofar) examination.offence(`last told ${sofar}, decided ${result.outcome}`, name);
}

function mayFollow(sofar: Told["states"][number], next: Told["states"][number]): boolean {
  if (sofar === next || sofar === "queued") return true;
  if (sofar === "won") return isAfterWinning(next);
  // A hint may have said it: the same key may try again.
  return sofar === "sold_out";
}

function reservationIs(told: AfterWinning, events: readonly Recorded<ReservationEvent>[]): boolean {
  return events.some(({ value }) => {
    if (told === "won") return value.type === "reserved";
    if (told === "paid") return value.type === "sold";
    return value.type === "released" && value.cause === told;
  });
}

/** A `resolve` long after the sale's end is answered with "not found", for its result may be forgotten. */
function mayBeForgotten(trace: PurchaseTrace, evidence: Evidence, ledger: Ledger): boolean {
  if (trace.request !== undefined) return false;
  const saleId = trace.purchaseId.slice(0, trace.purchaseId.lastIndexOf("."));
  const terms = ledger.sales.get(saleId)?.terms;
  if (terms === undefined) return true;
  const entry = evidence.state.looked ? evidence.state.found.sales.get(saleId) : undefined;
  return mayHaveForgottenResults(entry, evidence.nowMs);
}
