/**
 * What each message adds to the statistics: pure, and by the time the thing happened, not the time it was read. So a
 * replay, late or fast, fills the same windows (tumbling windows by event time).
 */
import type { AdmissionWindow, PurchaseEnded, ReservationEvent } from "@plateau/domain";
import { statisticsMetrics as metrics, type StatisticsMetric, statisticsWindowMs } from "@plateau/prisma";

export interface Count {
  readonly saleId: string;
  readonly windowStartMs: number;
  readonly metric: StatisticsMetric;
  readonly label: string;
  readonly value: number;
}

const windowOf = (atMs: number): number => Math.floor(atMs / statisticsWindowMs) * statisticsWindowMs;

const count = (saleId: string, atMs: number, metric: StatisticsMetric, value: number, label = ""): Count => ({
  saleId,
  windowStartMs: windowOf(atMs),
  metric,
  label,
  value,
});

export function countsOfResult(ended: PurchaseEnded): readonly Count[] {
  const { saleId, requestedAtMs, decidedAtMs, outcome, reason } = ended;
  const request = count(saleId, requestedAtMs, metrics.requests, 1);
  if (outcome === "won") return [request, count(saleId, decidedAtMs, metrics.won, 1)];
  return [request, count(saleId, decidedAtMs, metrics.refused, 1, reason ?? outcome)];
}

/** Only a sale that was paid counts; reservations that end otherwise earn nothing. */
export function countsOfReservation(event: ReservationEvent): readonly Count[] {
  if (event.type !== "sold") return [];
  const { saleId, atMs, quantity, amountCents } = event;
  return [count(saleId, atMs, metrics.soldUnits, quantity), count(saleId, atMs, metrics.revenueCents, amountCents)];
}

export function countsOfAdmissions({ saleId, windowStartMs, arrivals, refused }: AdmissionWindow): readonly Count[] {
  return [
    count(saleId, windowStartMs, metrics.arrivals, arrivals),
    ...Object.entries(refused).map(([code, number]) => count(saleId, windowStartMs, metrics.shed, number, code)),
  ];
}

/** One count for each window, metric and label, in one fixed order, without zeros. */
export function sumOf(counts: readonly Count[]): readonly Count[] {
  const sums = new Map<string, Count>();
  for (const next of counts) {
    if (next.value === 0) continue;
    const key = JSON.stringify([next.saleId, next.windowStartMs, next.metric, next.label]);
    const sum = sums.get(key);
    sums.set(key, sum === undefined ? next : { ...sum, value: sum.value + next.value });
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
}
