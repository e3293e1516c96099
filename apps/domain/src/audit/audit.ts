/**
 * The audit: invariants 1 to 11 (docs/architecture.md), checked by set algebra in O(n) over evidence that somebody
 * else gathered. Pure. It passes only what it has looked at: a source that could not be read, a group that lags
 * or a system in which nothing happened gives `unknown`.
 */
import type { AuditReport } from "../http.ts";
import type { Evidence } from "./evidence.ts";
import type { InvariantReport } from "./examination.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import { conservation, moneyAddsUp } from "./money-invariants.ts";
import { everybodyAgrees, oneOrderPerWin } from "./order-invariants.ts";
import { queueKeepsItsWord } from "./queue-invariants.ts";
import { everyPurchaseEnds, oneResult, truthfulAnswers } from "./result-invariants.ts";
import { noOversell, noUndersell, perUserLimit } from "./stock-invariants.ts";

const invariants: readonly ((evidence: Evidence, ledger: Ledger) => InvariantReport)[] = [
  noOversell,
  noUndersell,
  oneResult,
  truthfulAnswers,
  oneOrderPerWin,
  perUserLimit,
  conservation,
  moneyAddsUp,
  everyPurchaseEnds,
  everybodyAgrees,
  queueKeepsItsWord,
];

export function audit(evidence: Evidence): AuditReport {
  const ledger = openLedger(evidence);
  const reports = invariants.map((examine) => examine(evidence, ledger));
  const verdict = reports.some((report) => report.verdict === "fail")
    ? "fail"
    : reports.some((report) => report.verdict === "unknown")
      ? "unknown"
      : "pass";
  return { verdict, invariants: reports };
}

/** One line per invariant, then the verdict. */
export function auditLines(report: AuditReport): string[] {
  const lines = report.invariants.map(
    ({ id, title, verdict, evidence }) => `${verdict.padEnd(7)} ${String(id).padStart(2)}. ${title}: ${evidence}`,
  );
  return [...lines, `audit: ${report.verdict}`];
}
