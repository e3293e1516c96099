/**
 * The arithmetic of a shared token bucket: which tokens there are, and when each may be used. Pure.
 *
 * From `startedAtMs` on the tokens of a bucket come in leases of `leaseTokens`, numbered 0, 1, 2 …, one each period:
 *
 *     usable from   startedAtMs + (number + 1) × period          period = leaseTokens × 1000 / ratePerSecond
 *     usable until  that + (burst − leaseTokens) × 1000 / ratePerSecond
 *
 * Promise: whoever takes them, in any interval of T ms at most rate × T / 1000 + burst tokens are used. For a lease
 * used in it became usable in an interval of T + lifetime ms, in which at most (T + lifetime) / period + 1 leases do;
 * times `leaseTokens` that is rate × T / 1000 + (burst − leaseTokens) + leaseTokens. Nobody has to count anything.
 *
 * What can go wrong: leases of one token each would cost a put for each token, very large ones make the flow lumpy. A
 * lease is at most what comes in 50 ms and a 64th of the burst, but large enough that at most about 1,000 are usable.
 */
import { QueueError } from "./errors.ts";

/** How fast a bucket is fed, and how much it holds. */
export interface TokenRate {
  /** Tokens a second; 0 closes the bucket. */
  readonly ratePerSecond: number;
  /** Tokens that may be used at once after a pause; at least 2. */
  readonly burst: number;
}

export interface TokenSchedule extends TokenRate {
  /** Counts changes of the rate. */
  readonly epoch: number;
  /** Engine time. */
  readonly startedAtMs: number;
}

export interface TokenLease {
  readonly number: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Throws INVALID_ARGUMENT for a negative or non-finite rate, or a burst under 2: one lease in use, one to come. */
export function checkTokenRate({ ratePerSecond, burst }: TokenRate): void {
  if (Number.isFinite(ratePerSecond) && ratePerSecond >= 0 && Number.isFinite(burst) && burst >= 2) return;
  const detail = `${ratePerSecond} tokens a second with a burst of ${burst}`;
  throw new QueueError("INVALID_ARGUMENT", `${detail}; the rate is to be finite from 0 on, the burst finite from 2 on`);
}

export function leaseTokens({ ratePerSecond, burst }: TokenRate): number {
  const smooth = Math.min(Math.ceil(burst / 64), Math.floor(ratePerSecond * 0.05));
  return Math.max(1, smooth, Math.ceil(burst / 1_024));
}

/** How long a lease can be used, ms. */
export function lifetimeMs(rate: TokenRate): number {
  return ((rate.burst - leaseTokens(rate)) * 1_000) / rate.ratePerSecond;
}

export function periodMs(rate: TokenRate): number {
  return (leaseTokens(rate) * 1_000) / rate.ratePerSecond;
}

/** Those that can be used at some time from now until `aheadMs` from now, oldest first. */
export function leasesAt(schedule: TokenSchedule, nowMs: number, aheadMs: number): TokenLease[] {
  if (schedule.ratePerSecond === 0) return [];
  const [period, lifetime] = [periodMs(schedule), lifetimeMs(schedule)];
  const sinceMs = nowMs - schedule.startedAtMs;
  const first = Math.max(0, Math.floor((sinceMs - lifetime) / period));
  const last = Math.floor((sinceMs + aheadMs) / period) - 1;
  const leases: TokenLease[] = [];
  for (let number = first; number <= last; number++) {
    const fromMs = schedule.startedAtMs + (number + 1) * period;
    if (fromMs + lifetime > nowMs) leases.push({ number, fromMs, untilMs: fromMs + lifetime });
  }
  return leases;
}
