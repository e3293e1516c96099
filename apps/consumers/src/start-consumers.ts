/**
 * Everything that follows a decision: order, payment, SMS and statistics, each its own consumer group.
 *
 * Promise: they share nothing but the queue and the database's connections; one that stands still holds up no other,
 * and none of them holds up the sale.
 */
import type { Database, DataMark } from "@plateau/prisma";
import type { Logger } from "pino";
import type { Queue } from "queue-core";
import { createEmbeddedJobs } from "./jobs/embedded/embedded-jobs.ts";
import type { JobQueue } from "./jobs/job-queue.ts";
import { startOrderConsumer } from "./order/order.ts";
import { startAuthorising } from "./payment/authorise.ts";
import type { PaymentProvider } from "./payment/payment-provider.ts";
import { startSettling } from "./payment/settle.ts";
import { type ReconciliationTimes, startReconciliation } from "./reconciliation/start-reconciliation.ts";
import { startSmsConsumer } from "./sms/sms.ts";
import type { SmsProvider } from "./sms/sms-provider.ts";
import { startStatsConsumer } from "./stats/stats.ts";

export interface ConsumersOptions {
  readonly queue: Queue;
  readonly db: Database;
  readonly payments: PaymentProvider;
  readonly sms: SmsProvider;
  readonly log: Logger;
  /** How far a store that can lose what it acknowledged has come; kept with the orders. */
  readonly mark?: () => DataMark;
  /** Where jobs are kept; default: on the queue. The caller stops it, after the consumers. */
  readonly jobs?: JobQueue;
  readonly reconciliation?: ReconciliationTimes;
  /** Names the members of all groups; default: random ids. */
  readonly member?: string;
}

export interface Consumers {
  /** Lets what runs finish, then gives the partitions back. */
  stop(): Promise<void>;
  /** Ends as a killed process would: partitions stay taken until their leases run out. */
  kill(): void;
}

interface Running {
  stop(): Promise<void>;
  kill?(): void;
}

/** Rejects, with everything stopped again, where one of them does not start. */
export async function startConsumers(given: ConsumersOptions): Promise<Consumers> {
  const options = { ...given, jobs: given.jobs ?? createEmbeddedJobs({ queue: given.queue }) };
  const starting: readonly Promise<Running | readonly Running[]>[] = [
    startOrderConsumer(options),
    startAuthorising(options),
    ...startSettling(options),
    ...startSmsConsumer(options),
    ...startStatsConsumer(options),
    startReconciliation(options),
  ];
  const started = await Promise.allSettled(starting);
  const running = started.flatMap((start) => (start.status === "fulfilled" ? start.value : []));
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((one) => one.stop()));
  };
  const failed = started.find((start) => start.status === "rejected");
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  options.log.info({ members: running.length }, "consumers started");
  return {
    stop,
    kill: () => {
      for (const one of running) one.kill?.();
    },
  };
}
