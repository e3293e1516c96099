/** Reconciliation as a job that comes by schedule; of all processes one runs it. */
import type { Database } from "@plateau/prisma";
import type { Logger } from "pino";
import { done, type Queue, retry, systemTimers } from "queue-core";
import { reconciliationJobKind } from "../jobs/job-kinds.ts";
import type { JobQueue } from "../jobs/job-queue.ts";
import { repeatJob } from "../jobs/repeated-job.ts";
import { openOrderProjection } from "../order/order-projection.ts";
import { reconcile } from "./reconcile.ts";

export interface ReconciliationOptions {
  readonly queue: Queue;
  readonly jobs: JobQueue;
  readonly db: Database;
  readonly log: Logger;
  readonly reconciliation?: ReconciliationTimes;
}

export interface ReconciliationTimes {
  /** Default 60,000. */
  readonly everyMs?: number;
  /** What is younger may be on its way; default 30,000. */
  readonly graceMs?: number;
}

export async function startReconciliation(options: ReconciliationOptions): Promise<{ stop(): Promise<void> }> {
  const { queue, jobs, log, reconciliation: { everyMs = 60_000, graceMs = 30_000 } = {} } = options;
  const projection = await openOrderProjection(options);
  const worker = await jobs.work(reconciliationJobKind, async () => {
    try {
      await reconcile({ ...options, projection, graceMs });
      return done;
    } catch (error) {
      return retry({ error });
    }
  });
  const schedule = await repeatJob({
    jobs,
    kind: reconciliationJobKind,
    data: {},
    everyMs,
    now: () => queue.now(),
    timers: systemTimers,
    onError: (error) => log.warn({ err: error }, "this minute's reconciliation could not be asked for"),
  });
  return {
    async stop() {
      schedule.stop();
      await worker.stop();
      await projection.stop();
    },
  };
}
