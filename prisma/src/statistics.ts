/**
 * The statistics table in words: the consumer of statistics writes these metrics, pages and audit read them.
 *
 * A row is one count of one metric in one tumbling window of ten seconds of event time; `label` splits a metric.
 */
import type { Database } from "./database.ts";

export const statisticsWindowMs = 10_000;

export const statisticsMetrics = {
  /** Calls that reached a gateway for this sale, admitted or not, by the gateway's second. */
  arrivals: "arrivals",
  /** What gateways refused before anything was published; label: problem code, e.g. `throttled`, `sold-out`. */
  shed: "shed",
  /** Published purchases that ended, by the time they were asked for. */
  requests: "requests",
  /** Of those, the won ones, by the time of the decision. */
  won: "won",
  /** Of those, the others, by the time of the decision; label: `sold_out`, `expired` or the rejection's reason. */
  refused: "refused",
  /** Units paid, by the time of the sale. */
  soldUnits: "sold-units",
  /** What they cost, in cents. */
  revenueCents: "revenue-cents",
} as const;
export type StatisticsMetric = (typeof statisticsMetrics)[keyof typeof statisticsMetrics];

export interface StatisticsCounts {
  arrivals: number;
  requests: number;
  won: number;
  /** By reason: refusals by the gateway under their problem code, by risk and stock under outcome or reason. */
  refused: Record<string, number>;
  soldUnits: number;
  revenueCents: number;
}

/** Windows of a sale, oldest first, and their sums; empty where nothing happened yet. */
export async function readStatistics(
  db: Pick<Database, "statisticsWindow">,
  saleId: string,
): Promise<{ saleId: string; windows: ({ startsAt: string } & StatisticsCounts)[]; totals: StatisticsCounts }> {
  const rows = await db.statisticsWindow.findMany({ where: { saleId }, orderBy: { windowStart: "asc" } });
  const windows = new Map<number, StatisticsCounts>();
  const totals = noCounts();
  for (const row of rows) {
    const startMs = row.windowStart.getTime();
    const counts = windows.get(startMs) ?? noCounts();
    windows.set(startMs, counts);
    add(counts, row.metric, row.label, Number(row.value));
    add(totals, row.metric, row.label, Number(row.value));
  }
  return {
    saleId,
    windows: [...windows].map(([startMs, counts]) => ({ startsAt: new Date(startMs).toISOString(), ...counts })),
    totals,
  };
}

const noCounts = (): StatisticsCounts => ({
  arrivals: 0,
  requests: 0,
  won: 0,
  refused: {},
  soldUnits: 0,
  revenueCents: 0,
});

function add(counts: StatisticsCounts, metric: string, label: string, value: number): void {
  switch (metric) {
    case statisticsMetrics.arrivals:
      counts.arrivals += value;
      return;
    case statisticsMetrics.requests:
      counts.requests += value;
      return;
    case statisticsMetrics.won:
      counts.won += value;
      return;
    case statisticsMetrics.soldUnits:
      counts.soldUnits += value;
      return;
    case statisticsMetrics.revenueCents:
      counts.revenueCents += value;
      return;
    case statisticsMetrics.shed:
    case statisticsMetrics.refused:
      counts.refused[label] = (counts.refused[label] ?? 0) + value;
      return;
    default:
      throw new Error(`unknown metric ${metric} in the statistics`);
  }
}
