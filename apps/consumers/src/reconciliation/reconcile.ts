/**
 * Reconciliation (对账): do stock state, orders, payments, SMS and statistics agree?
 *
 *   who is behind? ──► sales: stock = orders = statistics ──► payments: sold ⇔ captured ──► SMS: one for each event
 *                            │ row missing                        │ job missing                 │ job missing
 *                            ▼                                    ▼                             ▼
 *                      same projection                         same job                      same job
 *
 * The sale's own record is stock's; everything else follows from it and can be concluded from it again. That is why the
 * job store may be lost: what its jobs would have done is missing here, and asked for anew. Stock is never touched.
 *
 * What can go wrong:
 * - What is merely on its way looks as if it were missing: only what is older than `graceMs` counts, and where a group
 *   has yet to read something that old, nothing is concluded about what it does.
 * - The database is down: the report says `unknown`, and why; the next one comes in a minute.
 * - Repairs run while a consumer does the same after all: both are idempotent, by the same keys.
 */
import { groups, lastReportKey, type ReconciliationReport, reconciliationJobs } from "@plateau/domain";
import type { JobCounts } from "@plateau/hosting/jobs";
import type { Database } from "@plateau/prisma";
import type { Logger } from "pino";
import { type Queue, stateNamespace } from "queue-core";
import { paymentJobKind, smsJobKind } from "../jobs/job-kinds.ts";
import { errorText, type JobQueue } from "../jobs/job-queue.ts";
import type { OrderProjection } from "../order/order-projection.ts";
import { type Follower, groupsBehind } from "./behind.ts";
import { comparePayments } from "./compare-payments.ts";
import { compareSales } from "./compare-sales.ts";
import { compareSms } from "./compare-sms.ts";
import { Findings } from "./findings.ts";
import { repairByJobs } from "./repair-jobs.ts";
import { StockTruth } from "./stock-truth.ts";

export interface ReconciliationGround {
  readonly queue: Queue;
  readonly db: Database;
  readonly jobs: JobQueue;
  readonly projection: OrderProjection;
  readonly log: Logger;
  /** What is younger may be on its way, ms. */
  readonly graceMs: number;
}

/** A day: who was away longer than this looks further back (see `sinceMs` below). */
const lookBackMs = 86_400_000;

/** Looks, repairs, keeps the report, and hands it back. Rejects only where the report cannot be kept. */
export async function reconcile(ground: ReconciliationGround): Promise<ReconciliationReport> {
  const { queue, log } = ground;
  const startedAtMs = queue.now();
  const findings = new Findings();
  let counts: Readonly<Record<string, JobCounts>> = {};
  try {
    counts = await lookAtAll(ground, findings, startedAtMs);
  } catch (error) {
    findings.unlooked("everything after what is listed", errorText(error));
  }
  const report = findings.report(startedAtMs, queue.now(), counts);
  await keep(queue, report);
  if (report.verdict === "differ")
    log.warn({ found: report.found, differences: report.differences.slice(0, 5) }, "reconciliation found differences");
  return report;
}

async function lookAtAll(ground: ReconciliationGround, findings: Findings, nowMs: number) {
  const { queue, db, jobs, projection, graceMs } = ground;
  const times = { beforeMs: nowMs - graceMs, sinceMs: nowMs - lookBackMs };
  const truth = new StockTruth(queue);
  const behind = await groupsBehind(queue, times.beforeMs);
  // Counted before looking: a job that ends in between has left its row by then.
  const counts = { sms: await jobs.counts(smsJobKind), payment: await jobs.counts(paymentJobKind) };
  tellWhoIsBehind(behind, findings);
  await compareSales({
    db,
    truth,
    projection,
    findings,
    behind,
    quietSinceMs: times.beforeMs,
    endedSinceMs: times.sinceMs,
  });
  if (!behind.has("payment") && !behind.has("order")) {
    const missing = await comparePayments(db, truth, findings, times);
    await repairByJobs(jobs, paymentJobKind, counts.payment, missing, findings);
  }
  if (!behind.has("sms")) {
    const missing = await compareSms(db, times);
    await repairByJobs(jobs, smsJobKind, counts.sms, missing, findings);
  }
  return counts;
}

function tellWhoIsBehind(behind: ReadonlySet<Follower>, findings: Findings): void {
  for (const group of behind) findings.unlooked(group, "this group is still behind; what it does is late");
}

async function keep(queue: Queue, report: ReconciliationReport): Promise<void> {
  const namespace = stateNamespace(groups.reconciliation, reconciliationJobs.name, 0);
  await queue.engine.commit({ put: [{ namespace, key: lastReportKey, value: Buffer.from(JSON.stringify(report)) }] });
}
