/**
 * A sale's stock (库存锁定): opening, closing, and the only way in which units move.
 *
 * What can go wrong: a bug that loses or invents a unit would oversell quietly. Every move is therefore checked
 * for conservation, in production too; a move that breaks it throws, and the message that asked for it is
 * dead-lettered instead of committed.
 * Promise: stock = available + reserved + sold, none of them negative, after every commit. Terms never change.
 */
import type { Decision, StateReader } from "queue-core";
import type { SaleId } from "../ids.ts";
import { type SaleStock, type SaleTerms, type StockCommand, type StockReply, stockKeys } from "../messages.ts";
import type { Moment } from "./moment.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** How long results and buyers are kept after the last moment at which their sale could still change them. */
export const resultRetentionMs = 7 * dayMs;
/** … and those of a sale that the stage has never seen, whose end it cannot know. */
export const unknownSaleRetentionMs = 30 * dayMs;

/**
 * The expiry class of a result or buyer entry, ms from now.
 *
 * While a sale runs, a forgotten result would let a retried key buy twice, so nothing may expire before the sale's
 * end; after it, the last reservation may still be paid or expire. From then on the entry only answers look-ups,
 * for 7 days (a shopper's own history lies in the database). All entries of one sale expire at one instant, so an
 * engine that files expiry by time drops a whole sale at once.
 */
export function resultExpiresAfterMs(sale: SaleStock | undefined, nowMs: number): number {
  if (sale === undefined) return unknownSaleRetentionMs;
  return Math.max(lastChangeMs(sale.terms) - nowMs, 0) + resultRetentionMs;
}

/** True once results of this sale may be gone: from here on an absent result proves nothing. */
export function mayHaveForgottenResults(sale: SaleStock | undefined, nowMs: number): boolean {
  return sale !== undefined && nowMs >= lastChangeMs(sale.terms) + resultRetentionMs;
}

const lastChangeMs = (terms: SaleTerms): number => terms.endsAtMs + terms.paymentTimeoutMs;

/** The sale takes requests made at that time (engine time, ms): known, not closed, inside its window. */
export function isOpenFor(sale: SaleStock | undefined, requestedAtMs: number): sale is SaleStock {
  return (
    sale !== undefined && !sale.closed && requestedAtMs >= sale.terms.startsAtMs && requestedAtMs < sale.terms.endsAtMs
  );
}

/** Idempotent: a sale that exists stays as it is, whatever terms come with the repeat. */
export function decideOpenSale(
  { saleId, terms }: Extract<StockCommand, { type: "open-sale" }>,
  state: StateReader,
  { nowMs, position }: Moment,
): Decision {
  const key = stockKeys.sale(saleId);
  const existing = state.get<SaleStock>(key);
  if (existing !== undefined) return { reply: { type: "sale", sale: existing } satisfies StockReply };

  checkTerms(saleId, terms);
  const asOf = { position, atMs: nowMs };
  const sale: SaleStock = {
    terms,
    available: terms.stock,
    reserved: 0,
    sold: 0,
    closed: false,
    asOf,
    version: 1,
  };
  return { writes: [{ key, value: sale }], reply: { type: "sale", sale } satisfies StockReply };
}

/** Takes no more requests for good; reservations that were won may still be paid, cancelled or expire. */
export function decideCloseSale(
  { saleId }: Extract<StockCommand, { type: "close-sale" }>,
  state: StateReader,
  { nowMs, position }: Moment,
): Decision {
  const key = stockKeys.sale(saleId);
  const existing = state.get<SaleStock>(key);
  if (existing === undefined) return { reply: { type: "not-found" } satisfies StockReply };
  if (existing.closed) return { reply: { type: "sale", sale: existing } satisfies StockReply };

  const asOf = { position, atMs: nowMs };
  const sale: SaleStock = { ...existing, closed: true, asOf, version: existing.version + 1 };
  return { writes: [{ key, value: sale }], reply: { type: "sale", sale } satisfies StockReply };
}

export type UnitMove = "reserve" | "sell" | "release";

/** Moves units of a sale: available → reserved → sold, or reserved → available. Throws where they are not there. */
export function moveUnits(sale: SaleStock, move: UnitMove, units: number, { position, nowMs }: Moment): SaleStock {
  let { available, reserved, sold } = sale;
  if (move === "reserve") {
    available -= units;
    reserved += units;
  } else {
    reserved -= units;
    if (move === "sell") sold += units;
    else available += units;
  }
  const conserved = available + reserved + sold === sale.terms.stock;
  if (!conserved || available < 0 || reserved < 0 || sold < 0) {
    throw new Error(
      `sale ${sale.terms.saleId}: cannot ${move} ${units} of stock ${sale.terms.stock} ` +
        `(available ${sale.available}, reserved ${sale.reserved}, sold ${sale.sold})`,
    );
  }
  return {
    terms: sale.terms,
    available,
    reserved,
    sold,
    closed: sale.closed,
    asOf: { position, atMs: nowMs },
    version: sale.version + 1,
  };
}

function checkTerms(saleId: SaleId, terms: SaleTerms): void {
  const sound =
    terms.saleId === saleId &&
    Number.isSafeInteger(terms.stock) &&
    terms.stock >= 0 &&
    Number.isSafeInteger(terms.perUserLimit) &&
    terms.perUserLimit >= 1 &&
    Number.isSafeInteger(terms.priceCents) &&
    terms.priceCents >= 0 &&
    terms.startsAtMs < terms.endsAtMs &&
    terms.paymentTimeoutMs > 0;
  if (!sound) throw new Error(`sale ${saleId}: terms that no sale can have: ${JSON.stringify(terms)}`);
}
