/**
 * How often one user and one address may try, by the generic cell rate algorithm: one number per key, the time at
 * which its tries so far would have been due at the allowed rate.
 *
 * What can go wrong: a table that grows with the crowd (it is bounded, the longest unseen go first); an address that
 * stands for a whole household of IPv6 hosts (they count as one, by their /64); a load test from the same machine
 * that meets the address limit (loopback is exempt unless the knob says otherwise).
 */
import type { Knobs } from "@plateau/domain";
import { LRUCache } from "lru-cache";

const keysMax = 200_000;

export interface AdmissionLimits {
  /** 0 where the try may go on; otherwise ms until it may. */
  takeUser(userId: string, nowMs: number): number;
  takeAddress(address: string, nowMs: number): number;
}

export function createAdmissionLimits(knobs: () => Knobs): AdmissionLimits {
  const users = createRateLimit();
  const addresses = createRateLimit();
  return {
    takeUser: (userId, nowMs) => users(userId, knobs().userRatePerSecond, nowMs),
    takeAddress(address, nowMs) {
      const { addressRatePerSecond, limitLoopback } = knobs();
      if (!limitLoopback && isLoopback(address)) return 0;
      return addresses(networkOf(address), addressRatePerSecond, nowMs);
    },
  };
}

/** One second's worth may come at once. */
function createRateLimit(): (key: string, ratePerSecond: number, nowMs: number) => number {
  const dueAtMs = new LRUCache<string, number>({ max: keysMax });
  return (key, ratePerSecond, nowMs) => {
    const intervalMs = 1000 / ratePerSecond;
    const toleranceMs = 1000 - intervalMs;
    const due = Math.max(dueAtMs.get(key) ?? nowMs, nowMs);
    const early = due - nowMs - Math.max(0, toleranceMs);
    if (early > 1e-6) return early;
    dueAtMs.set(key, due + intervalMs);
    return 0;
  };
}

export const isLoopback = (address: string): boolean =>
  address.startsWith("127.") || address === "::1" || address.startsWith("::ffff:127.");

/** IPv4 as it is; of IPv6 the /64 that one customer usually gets. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = address.lastIndexOf(":");
  if (address.startsWith("::ffff:") && address.includes(".")) return address.slice(mapped + 1);
  const [head = "", tail] = address.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  return `${[...front, ...Array<string>(zeros).fill("0"), ...back].slice(0, 4).join(":")}::/64`;
}
