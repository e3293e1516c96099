/**
 * Engine time: the wall clock at start, moved on by a monotonic clock.
 *
 * What can go wrong: the wall clock jumps (NTP, a resumed laptop), or a restarted process finds a wall clock
 * older than what its log already told. Promise: `now` never goes backwards, never jumps with the wall clock
 * while the process runs, and never starts before `notBeforeMs`.
 */

/** Where an engine takes time from: the wall clock once, at start, and from then on a clock that only goes forward. */
export interface Clock {
  /** Milliseconds since the Unix epoch; read once, at start. */
  wallMs(): number;
  /** Milliseconds since some fixed moment; never goes backwards. */
  monotonicMs(): number;
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** The same reading in every thread of the process: `performance.now()` begins anew in each. */
export const processClock: Pick<Clock, "monotonicMs"> = {
  monotonicMs: () => Number(process.hrtime.bigint()) / 1_000_000,
};

/** A clock for tests. */
export interface ManualClock extends Clock {
  advance(milliseconds: number): void;
}

/** A clock that stands still until a test moves it. */
export function manualClock(startMs = 1_700_000_000_000): ManualClock {
  let elapsedMs = 0;
  return {
    wallMs: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    advance(milliseconds) {
      if (!(milliseconds >= 0)) throw new RangeError("time does not go backwards");
      elapsedMs += milliseconds;
    },
  };
}

export class EngineTime {
  readonly #clock: Clock;
  readonly #baseMs: number;
  #lastMs: number;

  constructor(clock: Clock, notBeforeMs = 0) {
    this.#clock = clock;
    const startMs = Math.max(clock.wallMs(), notBeforeMs);
    this.#baseMs = startMs - clock.monotonicMs();
    this.#lastMs = Math.floor(startMs);
  }

  now(): number {
    const nowMs = Math.floor(this.#baseMs + this.#clock.monotonicMs());
    if (nowMs > this.#lastMs) this.#lastMs = nowMs;
    return this.#lastMs;
  }
}
