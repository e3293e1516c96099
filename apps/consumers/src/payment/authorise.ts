/**
 * First half of a payment: the shopper asked to pay.
 *
 *   payment-requests ──► row `requested` ──► provider holds the money ──► row `authorised` ──► `pay` to the stock stage
 *                                      └───► provider declines ────────► row `declined`, with the reason
 *
 * The order of these steps is the point: a row is there before any money is held, and the authorisation is written
 * down before `pay` is sent, so whatever the stock stage answers can be acted on (settle.ts). Each step may be
 * repeated: the provider knows the payment's id as idempotency key, rows only move forward, `pay` is one command
 * however often it comes.
 *
 * What can go wrong:
 * - The process dies between any two steps: the request is delivered again and takes them afresh.
 * - The provider is down or throttles: the partition pauses, for as long as it says, and no attempt is spent.
 * - The provider refuses the call itself: the payment counts as declined.
 * - The order's row is not there yet: tried again with backoff, before any money was held.
 * - The stock stage takes no command just now: the partition pauses; the row says `authorised` and `pay` is sent
 *   at the next delivery.
 */
import { groups, type PaymentRequest, paymentRequests, type StockCommand, stockCommands } from "@plateau/domain";
import type { Database } from "@plateau/prisma";
import pLimit from "p-limit";
import type { Logger } from "pino";
import { done, type GroupMember, type Message, type Outcome, type Queue, QueueError, retry } from "queue-core";
import { settleBatch } from "../batch-writes.ts";
import type { JobQueue } from "../jobs/job-queue.ts";
import { ProviderRefused, ProviderUnavailable, pauseFor } from "../providers/provider-errors.ts";
import { type PaymentProvider, referenceOf } from "./payment-provider.ts";
import { insertRequested, type KnownPayment, readPayments, recordAnswers } from "./payment-table.ts";

export interface PaymentConsumerOptions {
  readonly queue: Queue;
  readonly jobs: JobQueue;
  readonly db: Database;
  readonly payments: PaymentProvider;
  readonly log: Logger;
  readonly member?: string;
}

/** Calls to the provider at once, over all partitions of this consumer. */
const callsAtOnce = 6;

/** What the provider's answer, now or at an earlier delivery, leaves to do. */
type Step =
  | { readonly kind: "authorised"; readonly paymentId: string; readonly authorisationId: string }
  | { readonly kind: "declined"; readonly paymentId: string; readonly problem: string }
  | { readonly kind: "finished" }
  | { readonly kind: "later"; readonly outcome: Outcome };

export function startAuthorising(options: Omit<PaymentConsumerOptions, "jobs">): Promise<GroupMember> {
  const limit = pLimit(callsAtOnce);
  return options.queue.consume<PaymentRequest>({
    group: groups.payment,
    topic: paymentRequests,
    maxBatch: 100,
    ...(options.member === undefined ? {} : { member: options.member }),
    handle: (batch, signal) => settleBatch(batch, (part) => authoriseBatch(options, limit, part, signal)),
  });
}

async function authoriseBatch(
  options: Omit<PaymentConsumerOptions, "jobs">,
  limit: ReturnType<typeof pLimit>,
  batch: readonly Message<PaymentRequest>[],
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const { db, queue } = options;
  const requests = batch.map((message) => message.value);
  await insertRequested(db, requests);
  const known = await readPayments(
    db,
    requests.map((request) => request.paymentId),
  );
  const steps = await Promise.all(
    requests.map((request) => limit(() => nextStep(options, request, known.get(request.paymentId), signal))),
  );
  const authorised = steps.filter((step) => step.kind === "authorised");
  const declined = steps.filter((step) => step.kind === "declined");
  await recordAnswers(db, authorised, declined, new Date(queue.now()));
  return Promise.all(
    steps.map((step, index) => {
      if (step.kind === "later") return step.outcome;
      return step.kind === "authorised" ? sendPay(queue, requests[index] as PaymentRequest) : done;
    }),
  );
}

async function nextStep(
  { payments, log }: Pick<PaymentConsumerOptions, "payments" | "log">,
  request: PaymentRequest,
  known: KnownPayment | undefined,
  signal: AbortSignal,
): Promise<Step> {
  const { paymentId, reservationId, amountCents, outcome } = request;
  if (known?.state === "authorised" && known.authorisationId !== null) {
    return { kind: "authorised", paymentId, authorisationId: known.authorisationId };
  }
  if (known !== undefined && known.state !== "requested") return { kind: "finished" };
  try {
    const reference = referenceOf({ reservationId, paymentId });
    const answer = await payments.authorise({ idempotencyKey: paymentId, reference, amountCents, outcome }, signal);
    if (answer.status === "declined") return { kind: "declined", paymentId, problem: answer.problem };
    return { kind: "authorised", paymentId, authorisationId: answer.authorisationId };
  } catch (error) {
    if (error instanceof ProviderUnavailable) return { kind: "later", outcome: pauseFor(error) };
    if (!(error instanceof ProviderRefused)) throw error;
    log.error({ err: error, paymentId }, "the payment provider refused an authorisation");
    return { kind: "declined", paymentId, problem: "The payment could not be taken. Nothing was charged." };
  }
}

async function sendPay(queue: Queue, { saleId, reservationId, paymentId }: PaymentRequest): Promise<Outcome> {
  try {
    const command: StockCommand = { type: "pay", saleId, reservationId, paymentId };
    await queue.publish(stockCommands, command, { id: `pay:${paymentId}` });
    return done;
  } catch (error) {
    if (error instanceof QueueError && error.retryable) return pauseFor(error);
    return retry({ error });
  }
}
