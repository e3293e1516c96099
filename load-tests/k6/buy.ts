/**
 * One shopper's purchase, to its end: a 202 is asked after with the same key and `Prefer: wait`, which joins the
 * purchase on its way instead of beginning another, so nothing here sleeps.
 *
 * What each answer counts as: `admitted` (decided by the stages: won, sold out, rejected, expired), `shed` (refused
 * before anything was published: 429, 503 overloaded, a sold-out hint), or bad: whatever no client can expect.
 */
import exec from "k6/execution";
import http, { type RefinedResponse } from "k6/http";
import { Counter, Rate, Trend } from "k6/metrics";
import { baseUrl, type Prepared, shopperOfIteration } from "./system-under-load.ts";

/** Business outcomes are answers, not failed requests. */
http.setResponseCallback(http.expectedStatuses(200, 201, 202, 403, 409, 429, 503));

const made = new Counter("purchases_made");
const ended = new Rate("purchases_ended");
const won = new Counter("purchases_won");
const soldOut = new Counter("purchases_sold_out");
const admitted = new Counter("purchases_admitted");
const shed = new Counter("purchases_shed");
const bad = new Counter("bad_answers");
const shedDuration = new Trend("shed_duration", true);
const admittedDuration = new Trend("admitted_duration", true);

const runId = __ENV.SALE_ID ?? `${Date.now()}`;
/** 30 s each: longer than a purchase can be undecided. */
const asksMax = 3;

interface Answer {
  readonly state?: string;
  readonly code?: string;
  readonly purchaseId?: string;
}

export function buy(prepared: Prepared): void {
  const { token } = shopperOfIteration(prepared);
  const path = `${baseUrl}/api/sales/${prepared.saleId}/purchases`;
  const headers = {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    "idempotency-key": `${runId}-${exec.scenario.iterationInTest}`,
  };
  made.add(1);
  const startedAtMs = Date.now();
  let response = http.post(path, "{}", { headers, tags: { name: "buy" } });
  for (let asks = 1; response.status === 202 && asks <= asksMax; asks++) {
    const again = { headers: { ...headers, prefer: "wait=30" }, tags: { name: "buy, asked again" }, timeout: "40s" };
    response = http.post(path, "{}", again);
  }
  count(response, Date.now() - startedAtMs);
}

function count(response: RefinedResponse<"text">, durationMs: number): void {
  const { status } = response;
  const answer = answerOf(response);
  const decided = status === 201 || answer.purchaseId !== undefined;
  const shedAs = status === 429 || (status === 503 && answer.code === "overloaded") || answer.code === "sold-out";
  ended.add(decided || shedAs);
  if (status === 201) won.add(1);
  if (answer.code === "sold-out") soldOut.add(1);
  if (decided) {
    admitted.add(1);
    admittedDuration.add(durationMs);
  } else if (shedAs) {
    shed.add(1);
    shedDuration.add(response.timings.duration);
  } else {
    bad.add(1);
    console.error(`bad answer: ${status} ${answer.code ?? response.error}`);
  }
}

function answerOf(response: RefinedResponse<"text">): Answer {
  try {
    return response.json() as Answer;
  } catch {
    return {};
  }
}

/** Correctness, whatever the speed; `purchases_made` and `purchases_won` are the positive controls. */
export const purchaseThresholds = (stock: number) => ({
  purchases_made: ["count>0"],
  purchases_ended: ["rate==1"],
  purchases_won: ["count>0", `count<=${stock}`],
  bad_answers: ["count==0"],
  http_req_failed: ["rate==0"],
});
