/**
 * One simulated shopper, from the button to the receipt.
 *
 * waiting for the opening → asking → (queued → asking after it) → won → paying | cancelling | leaving; any refusal
 * is an end. A shopper waits as long as Retry-After says, gives up after `triesMax` refusals of that kind and after
 * `patienceMs` in the queue, and never shows an error to anybody: whether the shop answers well is told by the audit.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Problem, Purchase } from "@plateau/domain";
import type { Answer, ShopClient, ShopperTicket } from "./shop-client.ts";
import type { AfterWinning } from "./temperament.ts";

const triesMax = 4;
const patienceMs = 60_000;
const orderWithinMs = 20_000;

export interface Errand {
  readonly client: ShopClient;
  readonly ticket: ShopperTicket;
  readonly saleId: string;
  readonly afterWinning: AfterWinning;
  readonly signal: AbortSignal;
  /** In [0, 1), for the time people take. */
  readonly random: () => number;
}

export type ErrandEnd = Purchase["state"] | "gave up";

/** Resolves with how it ended for the shopper. Rejects when stopped, or when the shop cannot be reached. */
export async function shop(errand: Errand): Promise<ErrandEnd> {
  const purchase = await askUntilAnswered(errand);
  if (purchase === undefined) return "gave up";
  const ended = await waitForDecision(errand, purchase);
  if (ended.state !== "won" || ended.orderId === undefined) return ended.state;
  return settle(errand, ended.orderId);
}

async function askUntilAnswered({ client, ticket, saleId, signal }: Errand): Promise<Purchase | undefined> {
  const key = randomUUID();
  for (let tries = 1; tries <= triesMax; tries++) {
    const answer = await client.buy(ticket.token, saleId, key);
    if (isPurchase(answer)) return answer.body;
    if (answer.retryAfterMs === undefined) return undefined;
    await sleep(answer.retryAfterMs, undefined, { signal });
  }
  return undefined;
}

async function waitForDecision({ client, ticket, signal, random }: Errand, asked: Purchase): Promise<Purchase> {
  const untilMs = performance.now() + patienceMs;
  let purchase = asked;
  while (purchase.state === "queued" && performance.now() < untilMs) {
    const pauseMs = Math.min(Math.max(purchase.etaMs ?? 2_000, 1_000), 5_000) + random() * 500;
    await sleep(pauseMs, undefined, { signal });
    const answer = await client.purchase(ticket.token, purchase.id);
    if (isPurchase(answer)) purchase = answer.body;
    else await sleep(answer.retryAfterMs ?? 1_000, undefined, { signal });
  }
  return purchase;
}

async function settle(errand: Errand, orderId: string): Promise<ErrandEnd> {
  const { client, ticket, afterWinning, signal, random } = errand;
  if (afterWinning === "abandons") return "won";
  await sleep(500 + random() * 4_000, undefined, { signal });
  if (afterWinning === "cancels") {
    await onceOrderIsThere(errand, () => client.cancel(ticket.token, orderId));
    return "cancelled";
  }
  if (afterWinning === "pays after a declined card") {
    await onceOrderIsThere(errand, () => client.pay(ticket.token, orderId, "decline"));
    await sleep(2_000 + random() * 3_000, undefined, { signal });
  }
  const paid = await onceOrderIsThere(errand, () => client.pay(ticket.token, orderId, "succeed"));
  return paid ? "paid" : "won";
}

/** The order follows the win a moment later; until then its address is unknown. */
async function onceOrderIsThere({ signal }: Errand, call: () => Promise<Answer<unknown>>): Promise<boolean> {
  const untilMs = performance.now() + orderWithinMs;
  while (performance.now() < untilMs) {
    const { status, retryAfterMs } = await call();
    if (status < 400) return true;
    if (status !== 404 && status !== 409 && retryAfterMs === undefined) return false;
    await sleep(retryAfterMs ?? 500, undefined, { signal });
  }
  return false;
}

/** Any JSON body that is no problem is a Purchase. */
function isPurchase(answer: Answer<Purchase>): answer is Answer<Purchase> & { readonly body: Purchase } {
  const body: Purchase | Problem = answer.body;
  return "state" in body && "saleId" in body;
}
