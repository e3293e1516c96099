/**
 * A crowd for one sale: made before the opening, at the door on time, gone after a minute.
 *
 * Promises: at most `crowdMax` shoppers whatever the sale says, and an end by `overMs` + `staysMs` at the latest, so
 * that a visitor's machine is busy for seconds, not for the evening. A few of them are bots that share one device.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sale } from "@plateau/domain";
import type { ShopClient, ShopperTicket } from "./shop-client.ts";
import { type ErrandEnd, shop } from "./shopper.ts";
import { afterWinning, arrivals } from "./temperament.ts";

const crowdMax = 1_000;
const ticketsPerCall = 100;
const overMs = 4_000;
const staysMs = 75_000;
const botsPerCrowd = 6;

export interface CrowdCall {
  readonly client: ShopClient;
  readonly sale: Sale;
  readonly signal: AbortSignal;
  readonly random?: () => number;
}

/** How many shoppers ended how. */
export type CrowdReport = ReadonlyMap<ErrandEnd | "failed", number>;

export async function bringCrowd({ client, sale, signal, random = Math.random }: CrowdCall): Promise<CrowdReport> {
  const tickets = await makeTickets(client, Math.min(sale.crowd, crowdMax));
  const opensInMs = Date.parse(sale.startsAt) - Date.now();
  if (opensInMs > 0) await sleep(opensInMs, undefined, { signal });
  const leaving = AbortSignal.any([signal, AbortSignal.timeout(overMs + staysMs)]);
  const comesAtMs = arrivals(tickets.length, overMs, random);
  const report = new Map<ErrandEnd | "failed", number>();
  await Promise.all(
    tickets.map(async (ticket, index) => {
      const end = await visit(ticket, comesAtMs[index] ?? 0).catch(() => "failed" as const);
      report.set(end, (report.get(end) ?? 0) + 1);
    }),
  );
  signal.throwIfAborted();
  return report;

  async function visit(ticket: ShopperTicket, afterMs: number): Promise<ErrandEnd> {
    await sleep(afterMs, undefined, { signal: leaving });
    const errand = { client, ticket, saleId: sale.id, signal: leaving, random };
    return shop({ ...errand, afterWinning: afterWinning(random()) });
  }
}

/** Shuffled by their arrival times, not here: bots come first in the list, spread over the door by chance. */
async function makeTickets(client: ShopClient, count: number): Promise<readonly ShopperTicket[]> {
  const device = `emulator-${randomBytes(4).toString("hex")}`;
  const tickets: ShopperTicket[] = [];
  for (let bots = 0; bots < Math.min(botsPerCrowd, Math.floor(count / 20)); bots++) {
    tickets.push(await client.signIn(device));
  }
  while (tickets.length < count) {
    tickets.push(...(await client.createShoppers(Math.min(ticketsPerCall, count - tickets.length))));
  }
  return spread(tickets);
}

/** Puts the bots, which stand first, at even distances among the others. */
function spread<T>(tickets: readonly T[]): readonly T[] {
  const stride = 61;
  const coprime = tickets.length % stride === 0 ? stride + 1 : stride;
  return tickets.map((_, index) => tickets[(index * coprime) % tickets.length] as T);
}
