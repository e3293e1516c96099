/**
 * Stock against orders and statistics, sale by sale: the sums first, and only where they differ each reservation.
 *
 * What can go wrong:
 * - A sale changes while it is looked at: only sales that have not changed for a while are compared, and stock is read
 *   before and after the database.
 * - An order that is missing is made by the same projection that the order consumer uses, from what stock says; so a
 *   consumer that comes after all changes nothing.
 * - Counts are not repaired: counting again is how they would become wrong.
 */
import type { SaleStock } from "@plateau/domain";
import { type Database, statisticsMetrics as metrics } from "@plateau/prisma";
import type { OrderProjection } from "../order/order-projection.ts";
import type { OrderingEvent } from "../order/order-rows.ts";
import type { Follower } from "./behind.ts";
import type { Findings } from "./findings.ts";
import { orderingEventsOf, type StockTruth, type WonResult } from "./stock-truth.ts";

export interface SalesComparison {
  readonly db: Database;
  readonly truth: StockTruth;
  readonly projection: OrderProjection;
  readonly findings: Findings;
  readonly behind: ReadonlySet<Follower>;
  /** Sales that changed after this are left for later; engine time. */
  readonly quietSinceMs: number;
  /** Sales that ended before this are not looked at any more. */
  readonly endedSinceMs: number;
}

const salesMax = 2_000;
/** Reservations of differing sales that one run looks at, each. */
const lookedAtMax = 100_000;

interface Sums {
  readonly orders: number;
  readonly reserved: number;
  readonly sold: number;
  readonly paidCents: number;
}
const nothing: Sums = { orders: 0, reserved: 0, sold: 0, paidCents: 0 };

export async function compareSales(comparison: SalesComparison): Promise<void> {
  const { db, truth, findings, behind, quietSinceMs, endedSinceMs } = comparison;
  const rows = await db.sale.findMany({
    where: { endsAt: { gte: new Date(endedSinceMs) } },
    orderBy: { endsAt: "asc" },
    select: { id: true },
    take: salesMax,
  });
  if (rows.length === salesMax) findings.unlooked("sales", `more than ${salesMax} are recent`);
  const ids = rows.map(({ id }) => id);
  const before = await truth.sales(ids);
  const sums = behind.has("order") ? undefined : await sumOrders(db, ids);
  const counts = behind.has("stats") ? undefined : await sumStatistics(db, ids);
  const after = await truth.sales(ids);
  for (const [id, sale] of before) {
    if (sale.asOf.atMs >= quietSinceMs || after.get(id)?.version !== sale.version) {
      findings.sales.changing++;
      continue;
    }
    findings.sales.compared++;
    const ofOrders = sums === undefined ? undefined : (sums.get(id) ?? nothing);
    if (ofOrders !== undefined && !hasUnitsOf(ofOrders, sale)) await lookCloser(comparison, sale, ofOrders);
    else if (ofOrders !== undefined && counts !== undefined) compareCounts(sale, ofOrders, counts.get(id), findings);
  }
}

const hasUnitsOf = (sums: Sums, sale: SaleStock): boolean => sums.reserved === sale.reserved && sums.sold === sale.sold;

async function sumOrders(db: Database, ids: readonly string[]): Promise<ReadonlyMap<string, Sums>> {
  const rows = await db.$queryRaw<({ id: string } & Record<keyof Sums, bigint>)[]>`
    SELECT sale_id AS id, count(*) AS orders,
      coalesce(sum(quantity) FILTER (WHERE state = 'awaiting_payment'), 0) AS reserved,
      coalesce(sum(quantity) FILTER (WHERE state = 'paid'), 0) AS sold,
      coalesce(sum(amount_cents) FILTER (WHERE state = 'paid'), 0) AS "paidCents"
    FROM orders WHERE sale_id = ANY(${[...ids]}::text[]) GROUP BY sale_id`;
  return new Map(
    rows.map(({ id, orders, reserved, sold, paidCents }) => [
      id,
      { orders: Number(orders), reserved: Number(reserved), sold: Number(sold), paidCents: Number(paidCents) },
    ]),
  );
}

type Counts = ReadonlyMap<string, number>;

async function sumStatistics(db: Database, ids: readonly string[]): Promise<ReadonlyMap<string, Counts>> {
  const rows = await db.$queryRaw<{ id: string; metric: string; value: string }[]>`
    SELECT sale_id AS id, metric, sum(value)::text AS value FROM statistics_windows
    WHERE sale_id = ANY(${[...ids]}::text[]) GROUP BY sale_id, metric`;
  const bySale = Map.groupBy(rows, ({ id }) => id);
  return new Map(
    [...bySale].map(([id, found]) => [id, new Map(found.map(({ metric, value }) => [metric, Number(value)]))]),
  );
}

function compareCounts(sale: SaleStock, sums: Sums, counts: Counts = new Map(), findings: Findings): void {
  const expected: readonly (readonly [string, number])[] = [
    [metrics.won, sums.orders],
    [metrics.soldUnits, sale.sold],
    [metrics.revenueCents, sums.paidCents],
  ];
  for (const [metric, value] of expected) {
    const counted = counts.get(metric) ?? 0;
    if (counted !== value) {
      findings.add("statistics-differ", sale.terms.saleId, `${metric}: ${counted} counted, not ${value}`, "none");
    }
  }
}

/** The sums are not right: which reservations are they? */
async function lookCloser(comparison: SalesComparison, sale: SaleStock, sums: Sums): Promise<void> {
  const { db, truth, projection, findings } = comparison;
  const { saleId } = sale.terms;
  let lookedAt = 0;
  let missing = 0;
  for await (const page of truth.reservationsOf(saleId)) {
    const behind = await notInOrders(db, page);
    const events: OrderingEvent[] = [];
    for (const { won, has } of behind) {
      events.push(...orderingEventsOf(won, sale).filter(({ version }) => version > has));
      const kind = has === 0 ? "order-missing" : "order-behind";
      findings.add(kind, won.reservation.id, `${won.reservation.state}, version ${won.reservation.version}`, "made");
    }
    await projection.apply(events);
    missing += behind.length;
    lookedAt += page.length;
    if (lookedAt > lookedAtMax) {
      findings.unlooked(`sale ${saleId}`, `only ${lookedAt} of its reservations were looked at`);
      return;
    }
  }
  if (missing > 0) return;
  const detail = `${sums.reserved} reserved and ${sums.sold} sold, not ${sale.reserved} and ${sale.sold}`;
  findings.add("units-differ", saleId, `orders say ${detail}`, "none");
}

/** With the version that the order's row has; 0: there is none. */
async function notInOrders(
  db: Database,
  reservations: readonly WonResult[],
): Promise<readonly { readonly won: WonResult; readonly has: number }[]> {
  const ids = reservations.map(({ reservation }) => reservation.id);
  const rows = await db.$queryRaw<{ id: string; version: number }[]>`
    SELECT reservation_id AS id, version FROM orders WHERE reservation_id = ANY(${ids}::text[])`;
  const versions = new Map(rows.map(({ id, version }) => [id, version]));
  return reservations
    .map((won) => ({ won, has: versions.get(won.reservation.id) ?? 0 }))
    .filter(({ won, has }) => has < won.reservation.version);
}
