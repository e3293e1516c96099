import { Sale } from "@plateau/domain";
import { describe, expect, it } from "vitest";
import { houseSale, missingHouseSales } from "./house-sales.ts";

const minuteMs = 60_000;
/** Two minutes past a fifth minute. */
const nowMs = Date.UTC(2026, 0, 5, 12, 2);

function sale(startsAtMs: number, changes: Partial<Sale> = {}): Sale {
  return Sale.parse({
    id: `sale-${startsAtMs}`,
    productId: "tent",
    title: "Tent",
    picture: "tent",
    priceCents: 100,
    regularPriceCents: 200,
    stock: 240,
    available: 240,
    reserved: 0,
    sold: 0,
    perUserLimit: 1,
    startsAt: new Date(startsAtMs).toISOString(),
    endsAt: new Date(startsAtMs + 4.5 * minuteMs).toISOString(),
    paymentTimeoutMs: 60_000,
    state: startsAtMs > nowMs ? "upcoming" : "open",
    crowd: 400,
    house: true,
    ...changes,
  });
}

describe("the house's sales", () => {
  it("open moments after a start and at the next fifth minute", () => {
    expect(missingHouseSales([], nowMs, true)).toEqual([nowMs + 20_000, nowMs + 3 * minuteMs]);
  });

  it("are not announced twice", () => {
    const next = nowMs + 3 * minuteMs;
    expect(missingHouseSales([sale(next)], nowMs, false)).toEqual([]);
    expect(missingHouseSales([sale(next), sale(nowMs + 20_000)], nowMs, true)).toEqual([]);
  });

  it("announce the next one while one is open", () => {
    expect(missingHouseSales([sale(nowMs - 2 * minuteMs)], nowMs, false)).toEqual([nowMs + 3 * minuteMs]);
  });

  it("leave out a fifth minute that is too near to announce", () => {
    const justBefore = nowMs + 3 * minuteMs - 5_000;
    expect(missingHouseSales([], justBefore, false)).toEqual([nowMs + 8 * minuteMs]);
  });

  it("at a start just before a fifth minute do not open two at once", () => {
    const justBefore = nowMs + 3 * minuteMs - 18_000;
    expect(missingHouseSales([], justBefore, true)).toEqual([justBefore + 20_000, nowMs + 8 * minuteMs]);
  });

  it("do not count what others sell", () => {
    expect(missingHouseSales([sale(nowMs + 3 * minuteMs, { house: false })], nowMs, false)).toHaveLength(1);
  });

  it("offer the goods in turn, below their price, and end before the next one opens", () => {
    const products = ["tent", "rope"].map((id) => ({
      id,
      title: id,
      description: "",
      picture: id,
      priceCents: 10_050,
    }));
    const offers = [nowMs, nowMs + 5 * minuteMs].map((atMs) => houseSale(products, atMs));
    expect(new Set(offers.map(({ productId }) => productId)).size).toBe(2);
    for (const { priceCents, startsAt, endsAt, crowd, stock } of offers) {
      expect(priceCents).toBe(6_000);
      expect(Date.parse(endsAt ?? "") - Date.parse(startsAt ?? "")).toBeLessThan(5 * minuteMs);
      expect(stock).toBeLessThan(crowd ?? 0);
    }
  });
});
