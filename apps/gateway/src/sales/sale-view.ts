/** A sale as the catalogue shows it: its row, its product, and the live stock. */
import type { Sale, SaleId, SaleStock, SaleTerms, saleStates } from "@plateau/domain";

/** What the database knows of a sale. */
export interface SaleRow {
  readonly id: string;
  readonly productId: string;
  readonly title: string;
  readonly priceCents: number;
  readonly stock: number;
  readonly perUserLimit: number;
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly paymentTimeoutMs: number;
  readonly decisionCostMs: number;
  readonly crowd: number;
  readonly house: boolean;
  readonly closedAt: Date | null;
  readonly product: { readonly picture: string; readonly priceCents: number };
}

export function saleView(row: SaleRow, live: SaleStock | undefined, nowMs: number): Sale {
  return {
    id: row.id,
    productId: row.productId,
    title: row.title,
    picture: row.product.picture,
    priceCents: row.priceCents,
    regularPriceCents: row.product.priceCents,
    stock: row.stock,
    available: live?.available ?? row.stock,
    reserved: live?.reserved ?? 0,
    sold: live?.sold ?? 0,
    perUserLimit: row.perUserLimit,
    startsAt: row.startsAt.toISOString(),
    endsAt: row.endsAt.toISOString(),
    paymentTimeoutMs: row.paymentTimeoutMs,
    state: stateOf(row, live, nowMs),
    crowd: row.crowd,
    house: row.house,
  };
}

function stateOf(row: SaleRow, live: SaleStock | undefined, nowMs: number): (typeof saleStates)[number] {
  if (row.closedAt !== null || live?.closed === true || row.endsAt.getTime() <= nowMs) return "ended";
  // Until the stock stage has opened it nobody can buy.
  if (row.startsAt.getTime() > nowMs || live === undefined) return "upcoming";
  return live.available === 0 ? "sold_out" : "open";
}

export function termsOf(row: SaleRow): SaleTerms {
  return {
    saleId: row.id as SaleId,
    productId: row.productId,
    title: row.title,
    priceCents: row.priceCents,
    stock: row.stock,
    perUserLimit: row.perUserLimit,
    startsAtMs: row.startsAt.getTime(),
    endsAtMs: row.endsAt.getTime(),
    paymentTimeoutMs: row.paymentTimeoutMs,
    decisionCostMs: row.decisionCostMs,
  };
}
