/**
 * The payment consumer's statements. A payment row only moves forward:
 *
 *   requested ──► declined
 *        └──────► authorised ──► captured | voided
 *
 * Every update names the states it may come from, so a repeat or a late writer changes nothing.
 */
import { orderIdOf, type PaymentRequest, type SettlingEvent } from "@plateau/domain";
import type { Database, PaymentState } from "@plateau/prisma";

export async function insertRequested(db: Database, requests: readonly PaymentRequest[]): Promise<void> {
  await db.payment.createMany({
    data: requests.map((request) => ({
      id: request.paymentId,
      orderId: request.orderId,
      reservationId: request.reservationId,
      saleId: request.saleId,
      amountCents: request.amountCents,
      createdAt: new Date(request.requestedAtMs),
    })),
    skipDuplicates: true,
  });
}

export interface KnownPayment {
  readonly state: PaymentState;
  readonly authorisationId: string | null;
}

export async function readPayments(db: Database, ids: readonly string[]): Promise<ReadonlyMap<string, KnownPayment>> {
  const rows = await db.payment.findMany({
    where: { id: { in: [...ids] } },
    select: { id: true, state: true, authorisationId: true },
  });
  return new Map(rows.map((row) => [row.id, row]));
}

export interface AuthorisedPayment {
  readonly paymentId: string;
  readonly authorisationId: string;
}
export interface DeclinedPayment {
  readonly paymentId: string;
  readonly problem: string;
}

export async function recordAnswers(
  db: Database,
  authorised: readonly AuthorisedPayment[],
  declined: readonly DeclinedPayment[],
  at: Date,
): Promise<void> {
  await db.$transaction([
    db.$executeRaw`
      UPDATE payments SET state = 'authorised', authorisation_id = answer.authorisation_id
      FROM unnest(
        ${authorised.map((payment) => payment.paymentId)}::text[],
        ${authorised.map((payment) => payment.authorisationId)}::text[]
      ) AS answer (id, authorisation_id)
      WHERE payments.id = answer.id AND payments.state = 'requested'`,
    db.$executeRaw`
      UPDATE payments SET state = 'declined', problem = answer.problem, settled_at = ${at.toISOString()}::timestamptz
      FROM unnest(
        ${declined.map((payment) => payment.paymentId)}::text[],
        ${declined.map((payment) => payment.problem)}::text[]
      ) AS answer (id, problem)
      WHERE payments.id = answer.id AND payments.state = 'requested'`,
  ]);
}

export interface SettledPayment {
  readonly event: SettlingEvent;
  readonly authorisationId: string;
}

/** Also makes the row where it is missing: the money moved, so there is a payment. */
export async function recordSettled(db: Database, settled: readonly SettledPayment[], at: Date): Promise<void> {
  if (settled.length === 0) return;
  await db.$transaction([
    db.payment.createMany({
      data: settled.map(({ event, authorisationId }) => ({
        id: event.paymentId,
        orderId: orderIdOf(event.reservationId),
        reservationId: event.reservationId,
        saleId: event.saleId,
        amountCents: event.amountCents,
        state: "authorised" as const,
        authorisationId,
        createdAt: new Date(event.atMs),
      })),
      skipDuplicates: true,
    }),
    db.$executeRaw`
      UPDATE payments
      SET state = settled.state::payment_state, authorisation_id = settled.authorisation_id,
        settled_at = ${at.toISOString()}::timestamptz
      FROM unnest(
        ${settled.map(({ event }) => event.paymentId)}::text[],
        ${settled.map(({ event }) => settledState(event))}::text[],
        ${settled.map(({ authorisationId }) => authorisationId)}::text[]
      ) AS settled (id, state, authorisation_id)
      WHERE payments.id = settled.id AND payments.state IN ('requested', 'authorised')`,
  ]);
}

export const settledState = (event: SettlingEvent): "captured" | "voided" =>
  event.type === "sold" ? "captured" : "voided";
