/**
 * The tokens that one taker of a shared bucket has in hand, in the order in which they run out. No I/O.
 *
 * What can go wrong: a token used before or after its time would break the bound that all takers keep together;
 * nothing is counted as usable but between `fromMs` and `untilMs`.
 */
import type { TokenLease } from "./token-leases.ts";

interface Held extends TokenLease {
  tokens: number;
}

export class HeldTokens {
  #held: Held[] = [];

  get total(): number {
    return this.#held.reduce((sum, lease) => sum + lease.tokens, 0);
  }

  /** When the last of them run out; undefined when none are held. */
  get untilMs(): number | undefined {
    return this.#held.at(-1)?.untilMs;
  }

  add(leases: readonly TokenLease[], tokensEach: number): void {
    this.#held.push(...leases.map((lease) => ({ ...lease, tokens: tokensEach })));
    this.#held.sort((a, b) => a.untilMs - b.untilMs);
  }

  clear(): void {
    this.#held = [];
  }

  /** Forgets what ran out. */
  expire(nowMs: number): void {
    while ((this.#held[0]?.untilMs ?? Number.POSITIVE_INFINITY) <= nowMs) this.#held.shift();
  }

  /** How many can still be used then. */
  lasting(atMs: number): number {
    return this.#held.reduce((sum, lease) => sum + (lease.untilMs > atMs ? lease.tokens : 0), 0);
  }

  /** False, and nothing is used, where fewer are usable. */
  use(count: number, nowMs: number): boolean {
    this.expire(nowMs);
    const usable = this.#held.filter((lease) => lease.fromMs <= nowMs);
    if (usable.reduce((sum, lease) => sum + lease.tokens, 0) < count) return false;
    let left = count;
    for (const lease of usable) {
      const used = Math.min(left, lease.tokens);
      lease.tokens -= used;
      left -= used;
    }
    this.#held = this.#held.filter((lease) => lease.tokens > 0);
    return true;
  }

  /** When so many will be usable, of those that are held; undefined where they never will. */
  usableAtMs(count: number): number | undefined {
    let sum = 0;
    for (const lease of this.#held) {
      sum += lease.tokens;
      if (sum >= count) return lease.fromMs;
    }
    return undefined;
  }
}
