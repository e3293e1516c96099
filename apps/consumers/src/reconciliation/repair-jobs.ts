/**
 * Adds the jobs that are missing, where that is safe: not while others of the kind are waiting (one of them may be the
 * one that seems to be missing), and never again what has failed for good.
 */
import type { DifferenceKind, Repair } from "@plateau/domain";
import type { JobCounts } from "@plateau/hosting/jobs";
import type { JobKind, JobQueue, NewJob } from "../jobs/job-queue.ts";
import type { Findings } from "./findings.ts";

export interface MissingJob<T> {
  readonly difference: DifferenceKind;
  readonly detail: string;
  readonly job: NewJob<T>;
}

const failedLookedAt = 1_000;

export async function repairByJobs<T>(
  jobs: JobQueue,
  kind: JobKind<T>,
  counts: JobCounts,
  missing: readonly MissingJob<T>[],
  findings: Findings,
): Promise<void> {
  if (missing.length === 0) return;
  const failed = new Map((await jobs.failed(kind, failedLookedAt)).map(({ id, reason }) => [id, reason]));
  const isUnderWay = counts.waiting + counts.delayed > 0;
  const asked = isUnderWay ? [] : missing.filter(({ job }) => !failed.has(job.id));
  if (asked.length > 0) {
    await jobs.add(
      kind,
      asked.map(({ job }) => job),
    );
  }
  for (const { difference, detail, job } of missing) {
    const reason = failed.get(job.id);
    const repair: Repair = reason === undefined ? (isUnderWay ? "under-way" : "asked") : "failed";
    findings.add(difference, job.id, reason === undefined ? detail : `${detail}: ${reason}`, repair);
  }
}
