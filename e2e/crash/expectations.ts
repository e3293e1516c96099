/** What a crash run must show: each expectation is a sentence, and what was seen instead where it does not hold. */
import { orderIdOf, problems, type ReservationId, rejectionReasons, smsIdOf } from "@plateau/domain";
import type { ShopperEnd } from "../driver/shopper.ts";
import { type CrashReport, shoppersCount, stock } from "./crash-run.ts";

export interface Expectation {
  readonly sentence: string;
  readonly holds: boolean;
  readonly seen: string;
}

/** How many had really won when the kill came; a run in which it missed has proved nothing. */
export function wonBeforeKill({ ends, killedAtMs }: CrashReport): number {
  return ends.filter(({ state, decidedAt }) => state === "won" && Date.parse(decidedAt ?? "") <= killedAtMs).length;
}

export const killHit = (report: CrashReport): boolean => wonBeforeKill(report) >= 10 && wonBeforeKill(report) <= 90;

export function expectationsOf(report: CrashReport): readonly Expectation[] {
  const { ends, sale, statistics, orders, sms, counts, audit } = report;
  const states = tally(ends.map(({ state }) => state));
  const winners = ends.filter(({ state }) => state === "won");
  const { totals } = statistics;
  const refused = refusalsOf(totals.refused);
  return [
    expectation("every shopper has a final answer", ends.length === shoppersCount, show(states)),
    expectation(`exactly ${stock} won`, winners.length === stock, `${winners.length}`),
    expectation("and they are different people", new Set(winners.map(({ userId }) => userId)).size === stock, ""),
    expectation(
      "everybody else was told sold out",
      (states.get("sold_out") ?? 0) === shoppersCount - stock,
      show(states),
    ),
    expectation(
      "the stock is reserved to the last unit, and no more",
      sale.available === 0 && sale.reserved === stock && sale.sold === 0,
      `${sale.available} available, ${sale.reserved} reserved, ${sale.sold} sold`,
    ),
    expectation("each winner sees one order", eachOnce(orders, winners), show(tally(orders.values()))),
    expectation("each winner has one SMS", eachOnce(sms, winners), show(tally(sms.values()))),
    expectation(
      "the provider sent one SMS for each order made, and no other",
      sameOnce(report.sentSms, winners.map(createdSmsOf)),
      `${report.sentSms.length} sent, ${new Set(report.sentSms).size} different`,
    ),
    expectation("the statistics count the wins", totals.won === stock, `${totals.won}`),
    expectation(
      "and add up: requests = won + refused by a stage",
      totals.requests === totals.won + refused.byStages,
      `${totals.requests} = ${totals.won} + ${refused.byStages}`,
    ),
    expectation(
      "with every refusal known as a stage's or the gateway's",
      refused.unknown.length === 0,
      show(refused.counts),
    ),
    expectation(
      "and no request without an arrival",
      totals.arrivals >= totals.requests && totals.requests >= stock,
      `${totals.arrivals} arrivals, ${totals.requests} requests`,
    ),
    expectation(
      "no call was answered in a way no client expects",
      counts.unexpected.length === 0,
      counts.unexpected.slice(0, 3).join(", "),
    ),
    expectation(
      "the kill came between the 10th and the 90th win",
      killHit(report),
      `${wonBeforeKill(report)} were won`,
    ),
    expectation("with calls in flight", report.inFlightAtKill > 0, `${report.inFlightAtKill}`),
    expectation("whose answers were lost", counts.lost > 0, `${counts.lost}`),
    expectation("the audit passes, the driver's history included", audit.verdict === "pass", audit.verdict),
  ];
}

const expectation = (sentence: string, holds: boolean, seen: string): Expectation => ({ sentence, holds, seen });

/**
 * The statistics list what the stages and what the gateway refused together. Some labels could be either's: one that
 * the gateway used too would make the stages' sum larger than the requests that they decided.
 */
function refusalsOf(refused: Readonly<Record<string, number>>) {
  const stages = new Set<string>(["sold_out", "expired", ...rejectionReasons]);
  const gateway = new Set<string>(Object.keys(problems));
  const counts = new Map(Object.entries(refused));
  const byStages = [...counts].reduce((sum, [label, number]) => sum + (stages.has(label) ? number : 0), 0);
  return { counts, byStages, unknown: [...counts.keys()].filter((label) => !stages.has(label) && !gateway.has(label)) };
}

const createdSmsOf = ({ purchaseId = "" }: ShopperEnd): string =>
  smsIdOf(orderIdOf(purchaseId as ReservationId), "created");

/** The same ids, each once. */
const sameOnce = (seen: readonly string[], wanted: readonly string[]): boolean =>
  JSON.stringify([...seen].sort()) === JSON.stringify([...wanted].sort());

const eachOnce = (counts: ReadonlyMap<string, number>, winners: readonly { userId: string }[]): boolean =>
  winners.length > 0 && winners.every(({ userId }) => counts.get(userId) === 1);

function tally<T>(values: Iterable<T>): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

const show = (counts: ReadonlyMap<unknown, number>): string =>
  [...counts].map(([value, number]) => `${number} × ${value}`).join(", ");
