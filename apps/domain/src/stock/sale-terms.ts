/** From the catalogue's row of a sale to the terms that the stock stage keeps; the one place where the two meet. */
import type { SaleId } from "../ids.ts";
import type { SaleTerms } from "../messages.ts";

/** What the catalogue says of a sale's terms. */
export interface SaleTermsRow {
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
}

export function termsOf(row: SaleTermsRow): SaleTerms {
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
