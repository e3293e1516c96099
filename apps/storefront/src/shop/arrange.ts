/** Which sale stands where on the shop's first page. */
import type { Product, Sale } from "@plateau/domain/http";

export interface Arrangement {
  /** Fills the first screen: what draws a crowd now, else the newest that runs, the next to open, the last that ran. */
  readonly lead: Sale | undefined;
  readonly alsoOpen: readonly Sale[];
  readonly next: readonly Sale[];
  readonly gone: readonly Sale[];
}

const startMs = (sale: Sale) => Date.parse(sale.startsAt);
const goneShown = 4;
const pastShown = 5;

/**
 * `keep` is the lead already on the screen: it stays until it is over or a crowd comes elsewhere, so that nothing
 * jumps under a hand.
 */
export function arrange(sales: readonly Sale[], keep?: string): Arrangement {
  const open = sales.filter((sale) => sale.state === "open").toSorted((a, b) => startMs(b) - startMs(a));
  const next = sales.filter((sale) => sale.state === "upcoming").toSorted((a, b) => startMs(a) - startMs(b));
  const gone = sales
    .filter((sale) => sale.state === "sold_out" || sale.state === "ended")
    .toSorted((a, b) => startMs(b) - startMs(a));
  const kept = sales.find((sale) => sale.id === keep && sale.state !== "ended");
  const crowded = open.filter((sale) => sale.house || sale.crowd > 0);
  const lead = crowded.find((sale) => sale.id === keep) ?? crowded[0] ?? kept ?? open[0] ?? next[0] ?? gone[0];
  const rest = (list: readonly Sale[]) => list.filter((sale) => sale.id !== lead?.id);
  return { lead, alsoOpen: rest(open), next: rest(next), gone: rest(gone).slice(0, goneShown) };
}

/** All sales of one product: those that run, those that come (the next first), those that have been (the last first). */
export function salesOfProduct(productId: string, sales: readonly Sale[]) {
  const own = sales.filter((sale) => sale.productId === productId);
  const past = own.filter((sale) => sale.state === "sold_out" || sale.state === "ended");
  return {
    running: own.filter((sale) => sale.state === "open").toSorted((a, b) => startMs(b) - startMs(a)),
    next: own.filter((sale) => sale.state === "upcoming").toSorted((a, b) => startMs(a) - startMs(b)),
    past: past.toSorted((a, b) => startMs(b) - startMs(a)).slice(0, pastShown),
  };
}

/** The sale a product on the shelf leads to: one that runs before one that comes. */
export function saleOfProduct(product: Product, sales: readonly Sale[]): Sale | undefined {
  const own = sales.filter((sale) => sale.productId === product.id);
  return (
    own.find((sale) => sale.state === "open") ??
    own.filter((sale) => sale.state === "upcoming").toSorted((a, b) => startMs(a) - startMs(b))[0] ??
    own.filter((sale) => sale.state === "sold_out").at(-1)
  );
}
