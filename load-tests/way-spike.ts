/**
 * Spike on one of the four ways of lesson 01: everybody comes once, ten times as many as the slowest way decides.
 * Started by `npm run load -- spike --way <1 to 4, or its name>`, which starts the way and asks for its truth.
 */
import exec from "k6/execution";
import http from "k6/http";
import { Counter, Trend } from "k6/metrics";
import { offeredAtLeast, waySpike as plan } from "./k6/plan.ts";

/** Business outcomes are answers, not failed requests. */
http.setResponseCallback(http.expectedStatuses(200, 201, 202, 403, 409, 429, 503));

const accepted = new Counter("way_accepted");
const declined = new Counter("way_declined");
const refused = new Counter("way_refused");
const undecided = new Counter("way_undecided");
const bad = new Counter("bad_answers");
const known = new Trend("known_after", true);
const baseUrl = __ENV.BASE_URL ?? "";
/** 10 s each: longer than a purchase can be undecided. */
const asksMax = 3;

export const options = {
  summaryTrendStats: ["min", "med", "p(95)", "p(99)", "max", "count"],
  scenarios: {
    spike: {
      executor: "constant-arrival-rate",
      rate: plan.arrivalsPerSecond,
      timeUnit: "1s",
      duration: `${plan.durationS}s`,
      gracefulStop: "40s",
      // Everybody may be waiting at once, and none of them is made while the clock runs.
      preAllocatedVUs: plan.arrivalsPerSecond * (plan.durationS + 1),
    },
  },
  thresholds: {
    iterations: [`count>=${Math.floor(plan.arrivalsPerSecond * plan.durationS * offeredAtLeast)}`],
    way_accepted: ["count>0"],
    bad_answers: ["count==0"],
  },
};

export default function comeOnce(): void {
  const userId = `k6-${exec.scenario.iterationInTest}`;
  const headers = { authorization: `Bearer ${userId}`, "idempotency-key": userId, "content-type": "application/json" };
  const startedAtMs = Date.now();
  const path = `${baseUrl}/api/sales/${__ENV.SALE_ID}/purchases`;
  const first = http.post(path, "{}", { headers, tags: { name: "buy" }, timeout: "30s" });
  let answer = answerOf(first.status, first.body);
  for (let asks = 0; answer.state === "queued" && asks < asksMax; asks++) {
    const asked = http.get(`${baseUrl}${first.headers.Location}`, { headers, tags: { name: "ask" }, timeout: "30s" });
    answer = answerOf(asked.status, asked.body);
  }
  known.add(Date.now() - startedAtMs);
  if (answer.state === "won") accepted.add(1);
  else if (["sold_out", "rejected", "sold-out", "risk-rejected"].includes(answer.state)) declined.add(1);
  else if (["throttled", "overloaded"].includes(answer.state)) refused.add(1);
  else if (answer.state === "expired") undecided.add(1);
  else {
    bad.add(1);
    console.error(`bad answer: ${first.status} ${answer.state} ${first.error}`);
  }
}

/** The state of a purchase, or the code of a problem. */
function answerOf(status: number, body: unknown): { readonly state: string } {
  try {
    const { state, code } = JSON.parse(String(body)) as { state?: string; code?: string };
    return { state: state ?? code ?? `status ${status}` };
  } catch {
    return { state: `status ${status}` };
  }
}
