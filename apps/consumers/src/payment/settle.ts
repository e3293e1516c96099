/**
 * Second half of a payment: the stock stage has decided, and the held money moves or is let go.
 *
 *   sold ────────► capture ──► row `captured`
 *   pay-refused ─► void ─────► row `voided`     (the reservation had ended, or another payment was first)
 *
 * The stock stage answers each payment with exactly one kind of event, so an authorisation is never asked to do
 * both; the provider would refuse the second.
 *
 * What can go wrong:
 * - The process dies after the provider moved the money: delivered again, the provider repeats its answer.
 * - The row is missing or has no authorisation yet (its database was put back to an older state): the provider is
 *   asked for the authorisation by its reference, and the row is made from the event.
 * - There is no authorisation at all: a `sold` without money goes to the dead letters for a person to look at; for a
 *   `pay-refused` there is nothing to let go.
 * - The provider says that it was settled the other way: to the dead letters too; the audit shows it.
 * - The provider is down: this partition pauses. Orders, messages and statistics are other groups and go on.
 */
import { groups, type ReservationEvent, reservations } from "@plateau/domain";
import pLimit from "p-limit";
import { dead, done, type GroupMember, type Message, type Outcome } from "queue-core";
import { settleBatch } from "../batch-writes.ts";
import { ProviderRefused, ProviderUnavailable, pauseFor } from "../providers/provider-errors.ts";
import type { PaymentConsumerOptions } from "./authorise.ts";
import { type PaymentProvider, referenceOf } from "./payment-provider.ts";
import {
  type KnownPayment,
  readPayments,
  recordSettled,
  type SettledPayment,
  type SettlingEvent,
  settledState,
} from "./payment-table.ts";

/** Calls to the provider at once, over all partitions of this consumer. */
const callsAtOnce = 6;

type Step = { readonly settled: SettledPayment } | { readonly outcome: Outcome };

const settlesAPayment = (event: ReservationEvent): event is SettlingEvent =>
  event.type === "sold" || event.type === "pay-refused";

export function startSettling(options: PaymentConsumerOptions): Promise<GroupMember> {
  const limit = pLimit(callsAtOnce);
  return options.queue.consume<ReservationEvent>({
    group: groups.payment,
    topic: reservations,
    maxBatch: 500,
    ...(options.member === undefined ? {} : { member: options.member }),
    handle: (batch, signal) => settleBatch(batch, (part) => settlePayments(options, limit, part, signal)),
  });
}

async function settlePayments(
  { db, queue, payments }: PaymentConsumerOptions,
  limit: ReturnType<typeof pLimit>,
  batch: readonly Message<ReservationEvent>[],
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const events = batch.map((message) => message.value);
  const settling = events.filter(settlesAPayment);
  if (settling.length === 0) return events.map(() => done);
  const known = await readPayments(
    db,
    settling.map((event) => event.paymentId),
  );
  const steps = await Promise.all(
    events.map((event): Step | Promise<Step> => {
      if (!settlesAPayment(event)) return { outcome: done };
      return limit(() => settle(payments, event, known.get(event.paymentId), signal));
    }),
  );
  const settled = steps.flatMap((step) => ("settled" in step ? [step.settled] : []));
  await recordSettled(db, settled, new Date(queue.now()));
  return steps.map((step) => ("settled" in step ? done : step.outcome));
}

async function settle(
  payments: PaymentProvider,
  event: SettlingEvent,
  known: KnownPayment | undefined,
  signal: AbortSignal,
): Promise<Step> {
  const wanted = settledState(event);
  if (known?.state === wanted) return { outcome: done };
  try {
    const authorisationId = known?.authorisationId ?? (await payments.find(referenceOf(event), signal))?.id;
    if (authorisationId === undefined) {
      return { outcome: event.type === "sold" ? dead("sold, but the provider holds no money for it") : done };
    }
    const answer =
      event.type === "sold"
        ? await payments.capture(authorisationId, signal)
        : await payments.void(authorisationId, signal);
    if (answer === "conflict") return { outcome: dead(`${event.type}, but the provider settled it the other way`) };
    return { settled: { event, authorisationId } };
  } catch (error) {
    if (error instanceof ProviderUnavailable) return { outcome: pauseFor(error) };
    if (error instanceof ProviderRefused) return { outcome: dead(error.message) };
    throw error;
  }
}
