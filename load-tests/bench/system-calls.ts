/**
 * What the benches ask of a running system, embedded or many processes: limits lifted, shoppers, sales, and whether
 * its consumers have caught up.
 */
import { type FlowSample, newUserId, OpsJobs } from "@plateau/domain";
import { createSessionTokens } from "../../apps/gateway/src/session/session-tokens.ts";

export interface BenchTarget {
  readonly url: string;
  readonly adminToken: string;
}

const catchUpWithinMs = 120_000;
const shoppersPerCall = 10_000;
/** Of the sides that the system is measured against. */
export const baselineSecret = "bench";

export async function ops(target: BenchTarget, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${target.url}/api/ops${path}`, {
    method,
    headers: { authorization: `Bearer ${target.adminToken}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** One shopper buys in every round: limits per user are another matter than the speed of the way. */
export async function liftLimits(target: BenchTarget): Promise<void> {
  await ops(target, "PATCH", "/knobs", {
    decisionCostMs: 0,
    tokenRatePerSecond: 0,
    backlogMax: 1_000_000,
    userRatePerSecond: 10_000,
    velocityPerMinute: 100_000,
  });
}

export async function shoppers(target: BenchTarget, count: number): Promise<string[]> {
  const tokens: string[] = [];
  while (tokens.length < count) {
    const body = { count: Math.min(shoppersPerCall, count - tokens.length) };
    const made = (await ops(target, "POST", "/shoppers", body)) as { shoppers: readonly { token: string }[] };
    tokens.push(...made.shoppers.map((shopper) => shopper.token));
  }
  return tokens;
}

export async function openSale(target: BenchTarget, stock: number): Promise<string> {
  const body = { stock, title: "Bench", priceCents: 100, perUserLimit: 10, paymentTimeoutMs: 3_600_000 };
  return ((await ops(target, "POST", "/sales", body)) as { id: string }).id;
}

export async function signBaselineTokens(count: number): Promise<string[]> {
  const tokens = await createSessionTokens({ secret: baselineSecret, lifetimeMs: 3_600_000, now: Date.now });
  return Promise.all(
    Array.from({ length: count }, async () => (await tokens.sign({ userId: newUserId(), name: "Bench" })).token),
  );
}

/** Resolves when every SMS that was added as a job is sent, at the rate that its provider takes. */
export async function smsSent(target: BenchTarget): Promise<void> {
  const deadline = Date.now() + catchUpWithinMs;
  for (;;) {
    const { kinds } = OpsJobs.parse(await ops(target, "GET", "/jobs"));
    const sms = kinds.find(({ kind }) => kind === "sms");
    if (sms !== undefined && sms.waiting + sms.delayed === 0) return;
    if (Date.now() > deadline) throw new Error(`the SMS are not sent: ${JSON.stringify(kinds)}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Resolves when every stage has handled what was published, by a sample taken after this was asked. */
export async function caughtUp(target: BenchTarget): Promise<void> {
  const askedAtMs = Date.now();
  const deadline = askedAtMs + catchUpWithinMs;
  for (;;) {
    const response = await fetch(`${target.url}/api/flow`);
    const { atMs, stages } = (await response.json()) as FlowSample;
    if (atMs > askedAtMs && stages.every((stage) => stage.lagMessages === 0)) return;
    if (Date.now() > deadline) throw new Error(`the consumers do not catch up: ${JSON.stringify(stages)}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
