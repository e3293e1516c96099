/**
 * Makes the shop's example of a sold-out sale true: shoppers buy what is left of it and pay, one unit each, through
 * the same door as everybody. Starting again finds nothing left and does nothing.
 */
import type { ShopClient } from "./shop-client.ts";
import { shop } from "./shopper.ts";

const unitsMax = 50;
const rounds = 3;

export async function sellOut(client: ShopClient, saleId: string, signal: AbortSignal): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    const { available } = await client.sale(saleId);
    if (available === 0) return;
    const tickets = await client.createShoppers(Math.min(available, unitsMax));
    const errand = { client, saleId, signal, random: () => 0, afterWinning: "pays" } as const;
    await Promise.all(tickets.map((ticket) => shop({ ...errand, ticket })));
  }
}
