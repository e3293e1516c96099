/**
 * Lets work begin at a rate: `max` at once, and then one each `perMs` / `max` (a token bucket, told as the time at which
 * the next token is there).
 *
 * What can go wrong: whoever waits here is stopped. It is let go without its turn, and that turn is lost, which errs on
 * the side of the limit.
 */
import type { Timers } from "queue-core";

export class RateGate {
  readonly #intervalMs: number;
  readonly #burstMs: number;
  readonly #now: () => number;
  readonly #timers: Timers;
  /** When the bucket would be full again, did nobody take from it; ms of engine time. */
  #fullAtMs = Number.NEGATIVE_INFINITY;

  constructor(rate: { readonly max: number; readonly perMs: number }, now: () => number, timers: Timers) {
    this.#intervalMs = rate.perMs / rate.max;
    this.#burstMs = rate.perMs - this.#intervalMs;
    this.#now = now;
    this.#timers = timers;
  }

  /** Resolves when it is this caller's turn, in the order of the calls, or the signal was first. */
  async admit(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const nowMs = this.#now();
    this.#fullAtMs = Math.max(this.#fullAtMs, nowMs);
    const waitMs = this.#fullAtMs - nowMs - this.#burstMs;
    this.#fullAtMs += this.#intervalMs;
    if (waitMs <= 0) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        cancel();
        signal.removeEventListener("abort", end);
        resolve();
      };
      const cancel = this.#timers.after(waitMs, end);
      signal.addEventListener("abort", end);
    });
  }
}
