/**
 * The house's own sales: one opens at every fifth minute of the clock and is announced ahead, and one opens moments
 * after the start, so that a visitor is never alone in an empty shop.
 *
 * Sized for a queue of about ten seconds: 400 shoppers in 4 s, 25 ms a decision (40 a second), a stock for six of
 * those ten seconds; so who is quick still wins, and the stock runs out.
 */
import type { OpsSaleBody, Product, Sale } from "@plateau/domain";

const everyMs = 5 * 60_000;
const lastsMs = 4.5 * 60_000;
const firstAfterMs = 20_000;
/** A house sale that opens within this time of the start is soon enough. */
const soonMs = 60_000;
const announcedAtLeastMs = 15_000;

const terms = { stock: 240, crowd: 400, decisionCostMs: 25, perUserLimit: 1, paymentTimeoutMs: 120_000, house: true };

/** Which house sales are missing among `sales`; `starting` is true for the first look after a start. */
export function missingHouseSales(sales: readonly Sale[], nowMs: number, starting: boolean): readonly number[] {
  const house = sales.filter((sale) => sale.house && Date.parse(sale.endsAt) > nowMs);
  const upcoming = house.map((sale) => Date.parse(sale.startsAt)).filter((startsAtMs) => startsAtMs > nowMs);
  const missing: number[] = [];
  if (starting && !upcoming.some((startsAtMs) => startsAtMs < nowMs + soonMs)) missing.push(nowMs + firstAfterMs);
  const afterAllOfThese = Math.max(nowMs + announcedAtLeastMs, ...missing.map((startsAtMs) => startsAtMs + soonMs));
  const next = Math.ceil(afterAllOfThese / everyMs) * everyMs;
  if (!upcoming.some((startsAtMs) => startsAtMs % everyMs === 0)) missing.push(next);
  return missing;
}

/** The offer of the house sale that starts then: the goods take turns, at six tenths of their price. */
export function houseSale(products: readonly Product[], startsAtMs: number): OpsSaleBody {
  const product = products[Math.floor(startsAtMs / everyMs) % products.length];
  if (product === undefined) throw new Error("the shop has no products");
  return {
    ...terms,
    productId: product.id,
    title: product.title,
    priceCents: Math.round((product.priceCents * 0.6) / 100) * 100,
    startsAt: new Date(startsAtMs).toISOString(),
    endsAt: new Date(startsAtMs + lastsMs).toISOString(),
  };
}
