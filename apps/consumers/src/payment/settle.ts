/**
 * Second half of a payment: the stock stage has decided, and the held money moves or is let go.
 *
 *   sold ────────► job ──► capture ──► row `captured`
 *   pay-refused ─► job ──► void ─────► row `voided`     (the reservation had ended, or another payment was first)
 *
 * The stock stage answers each payment with exactly one kind of event, so an authorisation is never asked to do
 * both; the provider would refuse the second.
 *
 * What can go wrong:
 * - The process dies after the provider moved the money: the job is done again, the provider repeats its answer.
 * - The row is missing or has no authorisation yet (its database was put back to an older state): the provider is
 *   asked for the authorisation by its reference, and the row is made from the event.
 * - There is no authorisation at all: for a `sold` without money the job fails for good, for a person to look at; for
 *   a `pay-refused` there is nothing to let go.
 * - The provider says that it was settled the other way: the job fails for good too; the audit shows it.
 * - The provider is down: the jobs rest. Orders, messages and statistics are other groups and go on.
 * - The job store is lost: reconciliation finds payments that are sold and not captured, or held and no longer wanted.
 */
import { groups, type ReservationEvent, reservations, type SettlingEvent } from "@plateau/domain";
import { dead, done, type GroupMember, type Outcome } from "queue-core";
import { Gathered } from "../gathered.ts";
import { paymentJobKind } from "../jobs/job-kinds.ts";
import type { JobWorker, NewJob } from "../jobs/job-queue.ts";
import { startJobsOfEvents } from "../jobs/jobs-of-events.ts";
import { outcomeOfFailure } from "../providers/failed-work.ts";
import type { PaymentConsumerOptions } from "./authorise.ts";
import { type PaymentProvider, referenceOf } from "./payment-provider.ts";
import { readPayments, recordSettled, type SettledPayment, settledState } from "./payment-table.ts";

const settlesAPayment = (event: ReservationEvent): event is SettlingEvent =>
  event.type === "sold" || event.type === "pay-refused";

export const settlingJobOf = (event: SettlingEvent): NewJob<SettlingEvent> => ({
  id: `${event.paymentId}:${event.type}`,
  data: event,
});

export function startSettling(options: PaymentConsumerOptions): readonly [Promise<GroupMember>, Promise<JobWorker>] {
  const jobOf = (event: ReservationEvent) => (settlesAPayment(event) ? settlingJobOf(event) : undefined);
  return [
    startJobsOfEvents({ ...options, group: groups.payment, topic: reservations, kind: paymentJobKind, jobOf }),
    startSettlingJobs(options),
  ];
}

function startSettlingJobs({ jobs, db, queue, payments }: PaymentConsumerOptions): Promise<JobWorker> {
  const known = new Gathered(async (ids: readonly string[]) => {
    const rows = await readPayments(db, ids);
    return ids.map((id) => rows.get(id));
  });
  const record = new Gathered(async (settled: readonly SettledPayment[]) => {
    await recordSettled(db, settled, new Date(queue.now()));
    return settled;
  });
  return jobs.work(paymentJobKind, async ({ data: event }, signal): Promise<Outcome> => {
    try {
      const row = await known.ask(event.paymentId);
      if (row?.state === settledState(event)) return done;
      const authorisationId = row?.authorisationId ?? (await payments.find(referenceOf(event), signal))?.id;
      if (authorisationId === undefined) {
        return event.type === "sold" ? dead("sold, but the provider holds no money for it") : done;
      }
      const answer = await settleAtProvider(payments, event, authorisationId, signal);
      if (answer === "conflict") return dead(`${event.type}, but the provider settled it the other way`);
      await record.ask({ event, authorisationId });
      return done;
    } catch (error) {
      return outcomeOfFailure(error);
    }
  });
}

const settleAtProvider = (
  payments: PaymentProvider,
  event: SettlingEvent,
  authorisationId: string,
  signal: AbortSignal,
) => (event.type === "sold" ? payments.capture(authorisationId, signal) : payments.void(authorisationId, signal));
