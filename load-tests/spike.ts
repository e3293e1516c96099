/**
 * Spike: ten times what the workers can decide, for 15 s (see plan.ts). The queue takes what it has room for, the
 * rest is told at once to come again; nothing is oversold, every purchase ends, the audit passes. A run that offered
 * less than 95 % of the plan is invalid (the threshold on `iterations`), whatever else it shows.
 * `npm run load -- spike`, or `BASE_URL=http://127.0.0.1:3000 ADMIN_TOKEN=… k6 run load-tests/spike.ts`
 */
import { buy, purchaseThresholds } from "./k6/buy.ts";
import { admittedP99BarMs, offeredAtLeast, spike as plan, shedP99BarMs } from "./k6/plan.ts";
import { auditThresholds, conclude, type Prepared, prepare, warmUp } from "./k6/system-under-load.ts";

export const options = {
  setupTimeout: "120s",
  teardownTimeout: "90s",
  summaryTrendStats: ["min", "med", "p(95)", "p(99)", "max", "count"],
  scenarios: {
    spike: {
      executor: "constant-arrival-rate",
      rate: plan.arrivalsPerSecond,
      timeUnit: "1s",
      duration: `${plan.durationS}s`,
      preAllocatedVUs: 300,
      maxVUs: 1_500,
    },
  },
  thresholds: {
    ...purchaseThresholds(plan.stock),
    ...auditThresholds,
    iterations: [`count>=${Math.floor(plan.arrivalsPerSecond * plan.durationS * offeredAtLeast)}`],
    purchases_shed: ["count>0"],
    purchases_admitted: ["count>0"],
    shed_duration: [`p(99)<${shedP99BarMs}`],
    admitted_duration: [`p(99)<${admittedP99BarMs}`],
  },
};

export function setup(): Prepared {
  const prepared = prepare(plan);
  warmUp(prepared);
  return prepared;
}
export default (prepared: Prepared): void => buy(prepared);
export const teardown = (prepared: Prepared): void => conclude(prepared);
