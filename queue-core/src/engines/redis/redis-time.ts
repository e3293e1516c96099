/**
 * Redis's time, known here at every moment.
 *
 * What can go wrong: a time ahead of Redis's would make an entry read as expired which a commit right after finds
 * present; clocks drift, and Redis's may be set back. Promises: `now` is at most the time that Redis would tell,
 * give or take the drift of 20 s, behind it by half of the fastest round trip or so, never below what a commit was
 * given, and never goes backwards.
 */
import { type Clock, EngineTime } from "../clock.ts";

/** A sample is looked back at for one to two windows: drift of 50 ppm makes 1 ms in 20 s. */
const windowMs = 10_000;

export interface RedisTime {
  now(): number;
  /** What the script is to take for the time; false: Redis's own. */
  readonly given: number | false;
  told(told: { readonly timeMs: number; readonly clockUs: number; readonly receivedMs: number }): void;
}

/** Redis's time less the reading of `clock` when the answer came: the highest difference is nearest to the truth. */
export class SampledTime implements RedisTime {
  readonly given = false;
  readonly #monotonicMs: () => number;
  #lastMs = 0;
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #best = Number.NEGATIVE_INFINITY;
  #bestBefore = Number.NEGATIVE_INFINITY;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  told({ timeMs, clockUs, receivedMs }: { timeMs: number; clockUs: number; receivedMs: number }): void {
    if (receivedMs - this.#windowStartMs > windowMs) {
      this.#bestBefore = receivedMs - this.#windowStartMs > 2 * windowMs ? Number.NEGATIVE_INFINITY : this.#best;
      this.#best = Number.NEGATIVE_INFINITY;
      this.#windowStartMs = receivedMs;
    }
    this.#best = Math.max(this.#best, clockUs / 1000 - receivedMs);
    this.#lastMs = Math.max(this.#lastMs, timeMs);
  }

  now(): number {
    const best = Math.max(this.#best, this.#bestBefore);
    this.#lastMs = Math.max(this.#lastMs, Math.floor(best + this.#monotonicMs()));
    return this.#lastMs;
  }
}

/** The time of a test, which Redis is told. */
export class GivenTime implements RedisTime {
  readonly #time: EngineTime;
  #lastMs = 0;

  constructor(clock: Clock) {
    this.#time = new EngineTime(clock);
  }

  get given(): number {
    return this.now();
  }

  told({ timeMs }: { timeMs: number }): void {
    this.#lastMs = Math.max(this.#lastMs, timeMs);
  }

  now(): number {
    return Math.max(this.#lastMs, this.#time.now());
  }
}
