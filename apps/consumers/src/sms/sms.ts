/**
 * Messages: one SMS for each event of an order, whatever is delivered twice.
 *
 *   orders ──► job `<orderId>:<event>` ──► no row yet? ──► provider, once per key `<orderId>:<event>` ──► row
 *
 * The event is news, and waits for nobody; the sending is a job: it has a provider's rate to keep to, attempts, and an
 * end of its own.
 *
 * What can go wrong:
 * - `orders` tells an event again (its contract allows that), or a job is done again: the row is there, or the provider
 *   knows the key; nobody gets two messages.
 * - The process dies between sending and writing: the provider repeats its answer for the key, the row follows.
 * - The provider throttles (429 with Retry-After) or is down: the jobs rest, and no attempt is spent. The sale, orders
 *   and payments go on.
 * - The provider refuses a message: that job has failed for good, the others go on.
 * - The job store is lost: reconciliation finds the events without a row.
 */
import { groups, type OrderEvent, orders } from "@plateau/domain";
import type { Database } from "@plateau/prisma";
import type { Logger } from "pino";
import { done, type GroupMember, type Outcome, type Queue } from "queue-core";
import { Gathered } from "../gathered.ts";
import { smsJobKind } from "../jobs/job-kinds.ts";
import type { JobQueue, JobWorker, NewJob } from "../jobs/job-queue.ts";
import { startJobsOfEvents } from "../jobs/jobs-of-events.ts";
import { outcomeOfFailure } from "../providers/failed-work.ts";
import type { SmsProvider } from "./sms-provider.ts";
import { addRows, areSent, rowOf, type SmsRow } from "./sms-table.ts";
import { smsTextOf } from "./sms-text.ts";

export interface SmsConsumerOptions {
  readonly queue: Queue;
  readonly jobs: JobQueue;
  readonly db: Database;
  readonly sms: SmsProvider;
  readonly log: Logger;
  readonly member?: string;
}

/** One per event of an order: the job's id, the row's id, and the provider's idempotency key. */
const smsIdOf = (event: OrderEvent): string => `${event.orderId}:${event.type}`;

export const smsJobOf = (event: OrderEvent): NewJob<OrderEvent> => ({ id: smsIdOf(event), data: event });

export function startSmsConsumer(options: SmsConsumerOptions): readonly [Promise<GroupMember>, Promise<JobWorker>] {
  return [
    startJobsOfEvents({ ...options, group: groups.sms, topic: orders, kind: smsJobKind, jobOf: smsJobOf }),
    startDispatch(options),
  ];
}

function startDispatch({ queue, jobs, db, sms }: SmsConsumerOptions): Promise<JobWorker> {
  const isSent = new Gathered((ids: readonly string[]) => areSent(db, ids));
  const write = new Gathered((rows: readonly SmsRow[]) => addRows(db, rows));
  return jobs.work(smsJobKind, async ({ data: event }, signal): Promise<Outcome> => {
    const id = smsIdOf(event);
    const text = smsTextOf(event);
    try {
      if (await isSent.ask(id)) return done;
      const { id: providerId } = await sms.send({ idempotencyKey: id, to: event.userId, text }, signal);
      await write.ask(rowOf(id, event, providerId, queue.now()));
      return done;
    } catch (error) {
      return outcomeOfFailure(error);
    }
  });
}
