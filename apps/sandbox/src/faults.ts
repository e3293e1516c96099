/**
 * What makes a provider a real one: it takes time, it limits the rate, it fails. Ordered over HTTP, kept in memory:
 * a restart heals. Failures are counted, not drawn, so that a run can be repeated.
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { outOfOrder, throttled } from "./problem.ts";

export const services = ["payments", "sms", "risk"] as const;
export type Service = (typeof services)[number];

export const FaultsOrder = z.strictObject({
  /** Before the work begins. */
  latencyMs: z.number().min(0).max(60_000).optional(),
  /** Every n-th request is answered 503 and does nothing; 1 for all, 0 for none. */
  failEvery: z.int().min(0).optional(),
  /** This share of the requests is answered 503 and does nothing. */
  failRate: z.number().min(0).max(1).optional(),
  /** Every n-th request does its work and then the connection breaks without an answer; 0 for none. */
  loseEvery: z.int().min(0).optional(),
  /** Requests above it are answered 429; 0 for no limit. */
  ratePerSecond: z.number().min(0).max(1_000_000).optional(),
});
export type FaultsOrder = z.infer<typeof FaultsOrder>;
export type Faults = { readonly [Name in keyof FaultsOrder]-?: number };

export const usualFaults: Readonly<Record<Service, Faults>> = {
  payments: { latencyMs: 20, failEvery: 0, failRate: 0, loseEvery: 0, ratePerSecond: 500 },
  sms: { latencyMs: 15, failEvery: 0, failRate: 0, loseEvery: 0, ratePerSecond: 500 },
  risk: { latencyMs: 3, failEvery: 0, failRate: 0, loseEvery: 0, ratePerSecond: 0 },
};

/** One provider's gate: every request passes it before its work. */
export class ProviderGate {
  readonly #service: Service;
  readonly #nowMs: () => number;
  #faults: Faults;
  #requests = 0;
  #tokens = 0;
  #filledAtMs: number;

  constructor(service: Service, nowMs: () => number) {
    this.#service = service;
    this.#nowMs = nowMs;
    this.#filledAtMs = nowMs();
    this.#faults = this.order({});
  }

  get faults(): Faults {
    return this.#faults;
  }

  /** Replaces all faults; what is not named is as usual again. */
  order(faults: FaultsOrder): Faults {
    const named = Object.entries(faults).filter(([, value]) => value !== undefined);
    this.#faults = { ...usualFaults[this.#service], ...Object.fromEntries(named) };
    this.#requests = 0;
    this.#tokens = this.#burst();
    return this.#faults;
  }

  /** Throws 429 or 503; otherwise tells whether the answer shall be lost after the work. */
  async pass(): Promise<{ readonly loseAnswer: boolean }> {
    const { latencyMs, failEvery, failRate, loseEvery, ratePerSecond } = this.#faults;
    if (ratePerSecond > 0 && !this.#takeToken(ratePerSecond)) throw throttled(Math.ceil(1 / ratePerSecond));
    const count = ++this.#requests;
    if (latencyMs > 0) await delay(latencyMs);
    if (failEvery > 0 && count % failEvery === 0) throw outOfOrder();
    if (Math.floor(count * failRate) > Math.floor((count - 1) * failRate)) throw outOfOrder();
    return { loseAnswer: loseEvery > 0 && count % loseEvery === 0 };
  }

  /** A tenth of a second may come at once. */
  #burst(): number {
    return Math.max(1, this.#faults.ratePerSecond / 10);
  }

  #takeToken(ratePerSecond: number): boolean {
    const nowMs = this.#nowMs();
    this.#tokens = Math.min(this.#burst(), this.#tokens + ((nowMs - this.#filledAtMs) / 1_000) * ratePerSecond);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
