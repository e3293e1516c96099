/** Answer times of the last ten seconds; a request costs one increment. */
import { bucketCount, bucketOf, type Percentiles, percentilesOf } from "./time-buckets.ts";

const seconds = 10;

export class AnswerTimes {
  readonly #slots = Array.from({ length: seconds }, () => ({ second: -1, counts: new Uint32Array(bucketCount) }));

  record(durationMs: number, nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const slot = this.#slots[second % seconds];
    if (slot === undefined) return;
    if (slot.second !== second) {
      slot.second = second;
      slot.counts.fill(0);
    }
    const index = bucketOf(durationMs);
    slot.counts[index] = (slot.counts[index] ?? 0) + 1;
  }

  percentiles(nowMs: number): Percentiles {
    const oldest = Math.floor(nowMs / 1000) - seconds;
    const sum = new Uint32Array(bucketCount);
    for (const { second, counts } of this.#slots) {
      if (second <= oldest) continue;
      for (let index = 0; index < bucketCount; index++) sum[index] = (sum[index] ?? 0) + (counts[index] ?? 0);
    }
    return percentilesOf(sum);
  }
}
