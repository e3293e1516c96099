/**
 * Payments against stock: sold ⇔ captured, everything else that holds money is voided.
 *
 * What can go wrong: a payment whose reservation is still open is undecided, and whoever decided for it here would sell
 * or release stock. It is only named; its own consumer asks again.
 */
import type { SettlingEvent } from "@plateau/domain";
import type { Database } from "@plateau/prisma";
import { settlingJobOf } from "../payment/settle.ts";
import type { Findings } from "./findings.ts";
import type { MissingJob } from "./repair-jobs.ts";
import { type StockTruth, settlingEventOf } from "./stock-truth.ts";

const rowsMax = 2_000;

/** A payment that may not have ended as it should; without an id: an order that is paid by no payment. */
interface Suspect {
  readonly saleId: string;
  readonly reservationId: string;
  readonly paymentId: string | null;
  readonly state: string;
}

export async function comparePayments(
  db: Database,
  truth: StockTruth,
  findings: Findings,
  { beforeMs, sinceMs }: { readonly beforeMs: number; readonly sinceMs: number },
): Promise<readonly MissingJob<SettlingEvent>[]> {
  const suspects = await suspectsIn(db, new Date(beforeMs), new Date(sinceMs));
  const reservations = await truth.reservations(suspects.map(({ saleId, reservationId: id }) => ({ saleId, id })));
  const sales = await truth.sales([...new Set([...reservations.values()].map(({ saleId }) => saleId))]);
  const missing: MissingJob<SettlingEvent>[] = [];
  for (const { reservationId, paymentId: given, state } of suspects) {
    const won = reservations.get(reservationId);
    const sale = won && sales.get(won.saleId);
    const paymentId = given ?? won?.reservation.paymentId;
    const event = won && sale && paymentId && settlingEventOf(won, sale, paymentId);
    // A request that holds no money yet is asked for again by its own consumer; there is nothing to let go.
    if (event && (event.type === "sold" || state !== "requested")) {
      const difference = event.type === "sold" ? "capture-missing" : "void-missing";
      missing.push({ difference, detail: `the payment is ${state}`, job: settlingJobOf(event) });
    } else findings.add("payment-undecided", paymentId ?? reservationId, `the payment is ${state}`, "none");
  }
  return missing;
}

async function suspectsIn(db: Database, before: Date, since: Date): Promise<readonly Suspect[]> {
  const [from, to] = [since.toISOString(), before.toISOString()];
  return db.$queryRaw<Suspect[]>`
    (SELECT sale_id AS "saleId", reservation_id AS "reservationId", id AS "paymentId", state::text AS state FROM payments
      WHERE state IN ('requested', 'authorised') AND created_at < ${to}::timestamptz LIMIT ${rowsMax})
    UNION ALL
    (SELECT sale_id, reservation_id, NULL, 'missing' FROM orders
      WHERE state = 'paid' AND ended_at BETWEEN ${from}::timestamptz AND ${to}::timestamptz AND NOT EXISTS (
        SELECT 1 FROM payments WHERE order_id = orders.id AND state IN ('requested', 'authorised', 'captured'))
      LIMIT ${rowsMax})`;
}
