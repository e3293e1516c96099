/** Collects what a reconciliation finds, into a report of bounded size. */
import type { Difference, DifferenceKind, ReconciliationReport, Repair } from "@plateau/domain";
import type { JobCounts } from "@plateau/hosting/jobs";

const listedMax = 100;

export class Findings {
  readonly sales = { compared: 0, changing: 0 };
  readonly #differences: Difference[] = [];
  readonly #unlooked: { readonly what: string; readonly why: string }[] = [];
  #found = 0;

  add(kind: DifferenceKind, subject: string, detail: string, repair: Repair): void {
    this.#found++;
    if (this.#differences.length < listedMax) this.#differences.push({ kind, subject, detail, repair });
  }

  unlooked(what: string, why: string): void {
    this.#unlooked.push({ what, why: why.slice(0, 300) });
  }

  report(startedAtMs: number, finishedAtMs: number, jobs: Readonly<Record<string, JobCounts>>): ReconciliationReport {
    const known = this.#found > 0 ? "differ" : "agree";
    return {
      verdict: this.#found === 0 && this.#unlooked.length > 0 ? "unknown" : known,
      startedAt: new Date(startedAtMs).toISOString(),
      finishedAt: new Date(finishedAtMs).toISOString(),
      sales: this.sales,
      found: this.#found,
      differences: this.#differences,
      unlooked: this.#unlooked,
      jobs,
    };
  }
}
