/**
 * The outside world of the demo: looks at the shop's sales every second, announces house sales and brings a crowd to
 * every sale that asks for one (`crowd` > 0), also to those of "try again with a crowd".
 *
 * Promises: one crowd at a time; `stop` ends everything under way at once. A shop that is down is left alone until it
 * is back: nothing here ever ends the demo.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Sale } from "@plateau/domain";
import type { Logger } from "pino";
import { bringCrowd } from "./crowd.ts";
import { houseSale, missingHouseSales } from "./house-sales.ts";
import { sellOut } from "./sell-out.ts";
import { ShopClient } from "./shop-client.ts";

const lookEveryMs = 1_000;
/** Time to make the shoppers before the door opens. */
const gatherBeforeMs = 4_000;
/** A crowd that would come later than this after the opening stays at home. */
const lateMs = 90_000;

export interface CrowdsOptions {
  readonly url: string;
  readonly adminToken: string;
  readonly toSellOut: readonly string[];
  readonly log: Logger;
}

export function startCrowds({ url, adminToken, toSellOut, log }: CrowdsOptions): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const client = new ShopClient({ url, adminToken, signal });
  const served = new Set<string>();
  let starting = true;

  const look = async (): Promise<void> => {
    const sales = await client.sales();
    await announceHouseSales(client, missingHouseSales(sales, Date.now(), starting));
    starting = false;
    const sale = sales.find((candidate) => !served.has(candidate.id) && wantsCrowdNow(candidate, Date.now()));
    forgetGone(served, sales);
    if (sale === undefined) return;
    served.add(sale.id);
    // Asked when they gather: who turns the setting sees it in the very next crowd.
    const crowd = sale.house ? await client.crowdShoppers() : sale.crowd;
    const report = await bringCrowd({ client, sale: { ...sale, crowd }, signal });
    log.debug({ sale: sale.id, ...Object.fromEntries(report) }, "a crowd went home");
  };

  const run = async (): Promise<void> => {
    await Promise.all(toSellOut.map((saleId) => sellOut(client, saleId, signal))).catch((error: unknown) => {
      if (!signal.aborted) log.warn({ err: error }, "the sold-out example could not be sold out");
    });
    while (!signal.aborted) {
      await look().catch((error: unknown) => {
        if (!signal.aborted) log.debug({ err: error }, "the crowds could not reach the shop");
      });
      await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
    }
  };

  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function announceHouseSales(client: ShopClient, startsAtMs: readonly number[]): Promise<void> {
  if (startsAtMs.length === 0) return;
  const products = await client.products();
  for (const atMs of startsAtMs) await client.createSale(houseSale(products, atMs));
}

function wantsCrowdNow(sale: Sale, nowMs: number): boolean {
  const opensInMs = Date.parse(sale.startsAt) - nowMs;
  return (
    sale.crowd > 0 &&
    (sale.state === "upcoming" || sale.state === "open") &&
    opensInMs < gatherBeforeMs &&
    opensInMs > -lateMs
  );
}

/** The list names recent sales only, so neither does the memory of those served grow. */
function forgetGone(served: Set<string>, sales: readonly Sale[]): void {
  const listed = new Set(sales.map((sale) => sale.id));
  for (const saleId of served) if (!listed.has(saleId)) served.delete(saleId);
}
