/** For tests of the audit: one good history with some of everything in it, and handles by which to spoil it. */
import type { Evidence } from "./evidence.ts";
import type { HistoryEntry } from "./history.ts";
import { found, SaleOnPaper, type Spoilable } from "./sale-on-paper.ts";

export type Spoiled = Spoilable<Evidence>;

/** 5 units; ada pays, bob cancels, cyd lets it expire, dan wins what came back, eve loses, fay is refused. */
export function goodSale() {
  const sale = new SaleOnPaper({ stock: 5, perUserLimit: 2 });
  const ada = sale.purchase("ada");
  const bob = sale.purchase("bob");
  const cyd = sale.purchase("cyd");
  const dan = sale.purchase("dan", { quantity: 2 });
  const eve = sale.purchase("eve");
  const hint = sale.admit(9, 2);
  sale.purchase("ada", { key: "k2", quantity: 2 });
  const fay = sale.purchase("fay", { risk: { verdict: "refuse", reason: "risk-score", scored: true } });
  sale.pay(ada, "pay-ada");
  sale.pay(ada, "pay-ada-again");
  sale.cancel(bob);
  const gus = sale.purchase("gus");
  sale.purchase("eve");
  sale.purchase("hal", { lateMs: 31_000 });
  sale.resolve("ivy", "lost");
  sale.expire(cyd);
  sale.expire(dan);
  sale.expire(gus);
  const jon = sale.purchase("jon");
  const evidence = sale.evidence();
  evidence.history = [
    told("ada", "purchase", "queued", ada),
    told("ada", "look-up", "won", ada),
    told("ada", "look-up", "paid", ada),
    told("bob", "purchase", "won", bob),
    told("cyd", "purchase", "won", cyd),
    told("cyd", "stream", "payment_expired", cyd),
    told("eve", "purchase", "sold_out", eve),
    told("fay", "purchase", "rejected", fay),
    told("zoe", "purchase", "sold_out", undefined, hint),
  ];
  return { evidence, ids: { ada, bob, cyd, dan, eve, fay, gus, jon } };
}

export function told(
  user: string,
  op: HistoryEntry["op"],
  state: NonNullable<NonNullable<HistoryEntry["value"]>["state"]>,
  purchaseId?: string,
  hintedAt?: number,
): HistoryEntry {
  const value = {
    saleId: "s_paper",
    userId: user,
    state,
    ...(purchaseId === undefined ? {} : { purchaseId }),
    ...(hintedAt === undefined ? {} : { hintedAt }),
  };
  return { process: user, type: "ok", op, key: op === "purchase" ? "k1" : (purchaseId ?? ""), value, tMonoMs: 1 };
}

export const log = (evidence: Spoiled) => ({
  requests: found(evidence.log.requests).messages,
  commands: found(evidence.log.commands).messages,
  results: found(evidence.log.results).messages,
  reservations: found(evidence.log.reservations).messages,
  orders: found(evidence.log.orders).messages,
  admissions: found(evidence.log.admissions).messages,
});
export const state = (evidence: Spoiled) => found(evidence.state);
export const database = (evidence: Spoiled) => found(evidence.database);
export const provider = (evidence: Spoiled) => found(evidence.provider);

/** The element that a test means to spoil; a test that misses it must not pass. */
export function the<T>(list: readonly T[], which: (element: T) => boolean): T {
  const element = list.find(which);
  if (element === undefined) throw new Error("the good history lacks what this test spoils");
  return element;
}
export function remove<T>(list: T[], which: (element: T) => boolean): void {
  list.splice(list.indexOf(the(list, which)), 1);
}
