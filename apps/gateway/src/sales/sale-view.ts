/** A sale as the catalogue shows it: its row, its product, and the live stock. */
import type { Sale, SaleStock, SaleTermsRow, saleStates } from "@plateau/domain";

/** What the database knows of a sale. */
export interface SaleRow extends SaleTermsRow {
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
