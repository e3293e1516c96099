/**
 * The system under load as a scenario's set-up and tear-down see it: the control room's calls.
 *
 * Environment: BASE_URL (default http://127.0.0.1:3000), ADMIN_TOKEN (printed by the demo); SALE_ID and
 * SHOPPERS_FILE (JSON `[{ userId, token }]`) when the runner has prepared them. Without these `setup` opens a sale
 * and makes shoppers itself; k6 copies what it returns to every virtual user, so it makes 2,000 at most, who then
 * come several times.
 */
import { SharedArray } from "k6/data";
import exec from "k6/execution";
import http, { type BatchRequest } from "k6/http";
import { Counter, Rate } from "k6/metrics";
import type { Plan } from "./plan.ts";

export interface Shopper {
  readonly userId: string;
  readonly token: string;
}

export interface Prepared {
  readonly saleId: string;
  readonly shoppers: readonly Shopper[];
  /** To be put back; empty where the runner does that. */
  readonly knobsBefore: Readonly<Record<string, number | boolean>>;
}

const shoppersInMemory = 2_000;
const shoppersPerCall = 1_000;
const warmUpBatches = 80;
const warmUpBatchSize = 40;

export const baseUrl = (__ENV.BASE_URL ?? "http://127.0.0.1:3000").replace(/\/$/, "");
const fromFile = new SharedArray<Shopper>("shoppers", () => {
  const file = __ENV.SHOPPERS_FILE;
  return file === undefined ? [] : (JSON.parse(open(file)) as Shopper[]);
});

const auditPassed = new Rate("audit_passed");
const auditedInvariants = new Counter("audited_invariants");
const stockKept = new Rate("stock_kept");

/** Thresholds of every scenario; each that zero samples would pass has a positive control beside it. */
export const auditThresholds = {
  audit_passed: ["rate==1"],
  audited_invariants: ["count>=11"],
  stock_kept: ["rate==1"],
};

/** For the iteration that runs: each has a shopper of its own while they last. */
export function shopperOfIteration(prepared: Prepared): Shopper {
  const shoppers = fromFile.length > 0 ? fromFile : prepared.shoppers;
  const shopper = shoppers[exec.scenario.iterationInTest % shoppers.length];
  if (shopper === undefined) throw new Error("there are no shoppers");
  return shopper;
}

export function prepare(plan: Plan): Prepared {
  if (__ENV.ADMIN_TOKEN === undefined) exec.test.abort("set ADMIN_TOKEN: the demo prints it when it starts");
  const knobsBefore = __ENV.SALE_ID === undefined ? changeKnobs(plan) : {};
  const saleId = __ENV.SALE_ID ?? openSale(plan);
  return {
    saleId,
    shoppers: fromFile.length > 0 ? [] : makeShoppers(Math.min(plan.shoppers, shoppersInMemory)),
    knobsBefore,
  };
}

/**
 * Purchases on a sale of its own before the clock starts. A process that has just started runs its first seconds on
 * code that is not optimised yet (measured: 1.4 s for what takes 0.4 s later); nobody opens a sale on it.
 */
export function warmUp(prepared: Prepared): void {
  const shoppers = fromFile.length > 0 ? fromFile : prepared.shoppers;
  const saleId = openSale({ stock: warmUpBatches });
  const url = `${baseUrl}/api/sales/${saleId}/purchases`;
  for (let batch = 0; batch < warmUpBatches; batch++) {
    const requests = Array.from({ length: warmUpBatchSize }, (_, index): BatchRequest => {
      const number = batch * warmUpBatchSize + index;
      const { token } = shoppers[number % shoppers.length] as Shopper;
      const headers = {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "idempotency-key": `warm-${saleId}-${number}`,
        prefer: "respond-async",
      };
      return { method: "POST", url, body: "{}", params: { headers, tags: { name: "warm-up" } } };
    });
    http.batch(requests);
  }
}

/** Puts the settings back, then looks at the stock and asks for the audit. */
export function conclude({ saleId, knobsBefore }: Prepared): void {
  if (Object.keys(knobsBefore).length > 0) ops("PATCH", "/api/ops/knobs", knobsBefore);
  const sale = http.get(`${baseUrl}/api/sales/${saleId}`).json() as Record<
    "stock" | "available" | "reserved" | "sold",
    number
  >;
  const kept = sale.reserved + sale.sold <= sale.stock && sale.available + sale.reserved + sale.sold === sale.stock;
  stockKept.add(kept);
  console.log(`stock ${sale.stock} = ${sale.available} available + ${sale.reserved} reserved + ${sale.sold} sold`);

  const report = ops("GET", `/api/ops/audit?saleId=${saleId}`) as {
    verdict: string;
    invariants: { id: number; title: string; verdict: string; evidence: string }[];
  };
  auditedInvariants.add(report.invariants.length);
  auditPassed.add(report.verdict === "pass");
  for (const { id, title, verdict, evidence } of report.invariants) {
    if (verdict !== "pass") console.error(`audit ${verdict}: ${id}. ${title}: ${evidence}`);
  }
}

function changeKnobs({ knobs }: Plan): Record<string, number | boolean> {
  const all = ops("GET", "/api/ops/knobs") as Record<string, number | boolean>;
  // Shoppers come again where there are fewer than arrivals; the rules against that are not what is tested.
  const wanted = { ...knobs, userRatePerSecond: 10_000, velocityPerMinute: 100_000 };
  ops("PATCH", "/api/ops/knobs", wanted);
  return Object.fromEntries(Object.keys(wanted).map((name) => [name, all[name] as number | boolean]));
}

function openSale({ stock }: Pick<Plan, "stock">): string {
  const sale = ops("POST", "/api/ops/sales", { title: "Load test", stock, perUserLimit: stock });
  return (sale as { id: string }).id;
}

function makeShoppers(count: number): Shopper[] {
  const shoppers: Shopper[] = [];
  while (shoppers.length < count) {
    const answer = ops("POST", "/api/ops/shoppers", { count: Math.min(shoppersPerCall, count - shoppers.length) });
    shoppers.push(...(answer as { shoppers: Shopper[] }).shoppers);
  }
  return shoppers;
}

function ops(method: "GET" | "POST" | "PATCH", path: string, body?: unknown): unknown {
  const response = http.request(method, `${baseUrl}${path}`, body === undefined ? null : JSON.stringify(body), {
    headers: { authorization: `Bearer ${__ENV.ADMIN_TOKEN}`, "content-type": "application/json" },
    tags: { name: `${method} ${path.split("?")[0]}` },
    timeout: "90s",
  });
  if (response.status >= 300 || response.status === 0) {
    exec.test.abort(`${method} ${path} answered ${response.status || response.error}: ${response.body}`);
  }
  return response.json();
}
