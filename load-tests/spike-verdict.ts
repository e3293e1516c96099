/** What a spike's numbers are worth: invalid when too little was offered, else a line for each bar. */
import { z } from "zod";
import { admittedP99BarMs, offeredAtLeast, type Plan, shedP99BarMs } from "./k6/plan.ts";

const Counter = z.object({ count: z.number() });
const Trend = z.looseObject({ "p(99)": z.number(), count: z.number().optional() });

/** The parts of k6's summary export that the verdict reads; a metric without samples is absent. */
export const SpikeSummary = z.object({
  metrics: z.object({
    iterations: Counter.optional(),
    bad_answers: Counter.optional(),
    purchases_shed: Counter.optional(),
    purchases_admitted: Counter.optional(),
    shed_duration: Trend.optional(),
    admitted_duration: Trend.optional(),
  }),
});
export type SpikeSummary = z.infer<typeof SpikeSummary>;

export interface SpikeVerdict {
  readonly verdict: "met" | "missed" | "invalid";
  readonly lines: readonly string[];
}

export function judgeSpike({ metrics }: SpikeSummary, plan: Plan): SpikeVerdict {
  const planned = plan.arrivalsPerSecond * plan.durationS;
  const offered = (metrics.iterations?.count ?? 0) / planned;
  const offeredLine = `offered ${(offered * 100).toFixed(1)} % of ${planned} purchases, ten times what can be decided`;
  if (offered < offeredAtLeast) {
    const least = `a run that offers less than ${offeredAtLeast * 100} % is invalid, whatever else it shows`;
    return { verdict: "invalid", lines: [`? ${offeredLine}: ${least}`] };
  }
  const bars = [
    {
      met: (metrics.bad_answers?.count ?? 0) === 0 && metrics.purchases_admitted !== undefined,
      line: `no 5xx but 503-overloaded: ${metrics.bad_answers?.count ?? 0} bad answers`,
    },
    latencyBar("shed", metrics.purchases_shed?.count, metrics.shed_duration?.["p(99)"], shedP99BarMs),
    latencyBar("admitted", metrics.purchases_admitted?.count, metrics.admitted_duration?.["p(99)"], admittedP99BarMs),
  ];
  const lines = bars.map(({ met, line }) => `${met ? "✓" : "✗"} ${line}`);
  return { verdict: bars.every(({ met }) => met) ? "met" : "missed", lines: [`✓ ${offeredLine}`, ...lines] };
}

/** Without answers of its kind a bar is not met: nothing was measured. */
function latencyBar(kind: string, answers: number | undefined, p99Ms: number | undefined, barMs: number) {
  if (answers === undefined || answers === 0 || p99Ms === undefined) return { met: false, line: `nothing was ${kind}` };
  const line = `${answers} ${kind}, p99 ${p99Ms.toFixed(1)} ms (bar: below ${barMs} ms)`;
  return { met: p99Ms < barMs, line };
}
