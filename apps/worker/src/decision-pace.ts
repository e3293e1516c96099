/**
 * The pace at which one risk worker decides when each decision costs time (削峰填谷: a spike comes out flat).
 *
 * A worker does one thing at a time, however many partitions it owns: each batch books the next free time of the
 * one worker and waits until its booking is over. So n workers decide n × 1000 / cost requests a second.
 *
 * What can go wrong:
 * - One long booking would keep the other partitions waiting: a booking is cut at 25 ms, so that a worker that owns
 *   all 8 partitions comes round to each in about 200 ms. One decision above that is still taken whole.
 * - Timers fire late, and storing a batch takes time too: up to 100 ms of lost time are made up for, so that the
 *   pace holds on average, while an idle worker saves up no burst beyond that.
 */
import { setTimeout as sleepFor } from "node:timers/promises";

const bookingMs = 25;
const madeUpMs = 100;

export interface PaceClock {
  /** Milliseconds, monotonic. */
  nowMs(): number;
  /** Rejects when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemPaceClock: PaceClock = {
  nowMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await sleepFor(ms, undefined, { signal });
  },
};

export class DecisionPace {
  readonly #clock: PaceClock;
  /** When the worker has done all that is booked. */
  #freeAtMs = 0;

  constructor(clock: PaceClock = systemPaceClock) {
    this.#clock = clock;
  }

  /** How many of these decisions to take now, at least one; resolves when their time is over. `costsMs`: each ≥ 0. */
  async take(costsMs: readonly number[], signal: AbortSignal): Promise<number> {
    const nowMs = this.#clock.nowMs();
    const startMs = Math.max(this.#freeAtMs, nowMs - madeUpMs);
    const latestMs = Math.max(startMs, nowMs) + bookingMs;
    let endMs = startMs;
    let taken = 0;
    for (const costMs of costsMs) {
      if (taken > 0 && endMs + costMs > latestMs) break;
      endMs += costMs;
      taken++;
    }
    if (endMs > startMs) this.#freeAtMs = endMs;
    if (endMs > nowMs) await this.#clock.sleep(endMs - nowMs, signal);
    return taken;
  }
}
