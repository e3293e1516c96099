import type { Sale } from "@plateau/domain/http";
import { expect, test } from "vitest";
import { arrange, saleOfProduct } from "./arrange.ts";

const minute = 60_000;
const noon = Date.parse("2026-03-01T12:00:00Z");

const sale = (id: string, state: Sale["state"], startsInMs: number, part: Partial<Sale> = {}): Sale => ({
  id,
  productId: `p-${id}`,
  title: id,
  picture: "tent",
  priceCents: 1,
  regularPriceCents: 1,
  stock: 10,
  available: 5,
  reserved: 0,
  sold: 5,
  perUserLimit: 1,
  startsAt: new Date(noon + startsInMs).toISOString(),
  endsAt: new Date(noon + startsInMs + 10 * minute).toISOString(),
  paymentTimeoutMs: minute,
  state,
  crowd: 0,
  house: false,
  ...part,
});

const all = [
  sale("later", "upcoming", 60 * minute),
  sale("soon", "upcoming", 5 * minute),
  sale("old", "open", -60 * minute),
  sale("new", "open", -5 * minute),
  sale("gone", "sold_out", -30 * minute),
];

test("the newest running sale leads, the timetable goes by time, what is gone comes last", () => {
  const { lead, alsoOpen, next, gone } = arrange(all);
  expect(lead?.id).toBe("new");
  expect([alsoOpen, next, gone].map((list) => list.map(({ id }) => id))).toEqual([
    ["old"],
    ["soon", "later"],
    ["gone"],
  ]);
});

test("what is on the screen stays until it is over, so that nothing jumps under a hand", () => {
  expect(arrange(all, "old").lead?.id).toBe("old");
  const over = all.map((one) => (one.id === "old" ? { ...one, state: "ended" as const } : one));
  expect(arrange(over, "old").lead?.id).toBe("new");
});

test("a sale that draws a crowd takes the first screen", () => {
  const house = sale("house", "open", -1_000, { house: true, crowd: 200 });
  expect(arrange([...all, house], "old").lead?.id).toBe("house");
});

test("without a running sale the next one leads, and with none at all nothing does", () => {
  expect(arrange(all.filter(({ state }) => state !== "open")).lead?.id).toBe("soon");
  expect(arrange([]).lead).toBeUndefined();
});

test("a thing on the shelf leads to the sale that runs, before one that comes", () => {
  const product = { id: "p-x", title: "X", description: "", picture: "tent", priceCents: 1 };
  const own = (id: string, state: Sale["state"]) => sale(id, state, 0, { productId: "p-x" });
  expect(saleOfProduct(product, [own("up", "upcoming"), own("run", "open")])?.id).toBe("run");
  expect(saleOfProduct(product, [own("gone", "sold_out"), own("up", "upcoming")])?.id).toBe("up");
  expect(saleOfProduct(product, all)).toBeUndefined();
});
