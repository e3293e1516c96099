/**
 * Smoke, about 20 s: 480 shoppers want 60 units, the winners pay; nothing is oversold, every purchase ends, the audit
 * passes. `npm run load -- smoke`, or against a running system:
 * `BASE_URL=http://127.0.0.1:3000 ADMIN_TOKEN=… k6 run load-tests/smoke.ts`
 */
import http from "k6/http";
import { Counter } from "k6/metrics";
import { buy, purchaseThresholds } from "./k6/buy.ts";
import { smoke as plan } from "./k6/plan.ts";
import {
  auditThresholds,
  baseUrl,
  conclude,
  type Prepared,
  prepare,
  shopperOfIteration,
} from "./k6/system-under-load.ts";

type OrderLine = { readonly id: string; readonly saleId: string; readonly state: string };

const payDurationS = 5;
const paid = new Counter("payments_asked_for");

export const options = {
  setupTimeout: "60s",
  teardownTimeout: "90s",
  scenarios: {
    buy: {
      executor: "constant-arrival-rate",
      exec: "buyers",
      rate: plan.arrivalsPerSecond,
      timeUnit: "1s",
      duration: `${plan.durationS}s`,
      preAllocatedVUs: 40,
      maxVUs: 200,
    },
    pay: {
      executor: "constant-arrival-rate",
      exec: "payers",
      startTime: `${plan.durationS + 1}s`,
      rate: Math.ceil(plan.shoppers / payDurationS),
      timeUnit: "1s",
      duration: `${payDurationS}s`,
      preAllocatedVUs: 20,
      maxVUs: 100,
    },
  },
  thresholds: {
    ...purchaseThresholds(plan.stock),
    ...auditThresholds,
    purchases_sold_out: ["count>0"],
    payments_asked_for: ["count>0"],
  },
};

export const setup = (): Prepared => prepare(plan);
export const buyers = (prepared: Prepared): void => buy(prepared);

/** Looks at one's orders; every other winner pays, so that reserved units remain too. */
export function payers(prepared: Prepared): void {
  const { token } = shopperOfIteration(prepared);
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = http.get(`${baseUrl}/api/orders`, { headers, tags: { name: "orders" } }).json();
  for (const { id, saleId, state } of (answer as { orders: OrderLine[] }).orders) {
    if (saleId !== prepared.saleId || state !== "awaiting_payment" || id.charCodeAt(2) % 2 === 0) continue;
    paid.add(1);
    http.post(`${baseUrl}/api/orders/${id}/payment`, '{"outcome":"succeed"}', { headers, tags: { name: "pay" } });
  }
}

export const teardown = (prepared: Prepared): void => conclude(prepared);
