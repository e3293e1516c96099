/** How long one span of the way took, since somebody last looked: what one point of a chart shows. */
import { bucketCount, bucketOf, type Percentiles, percentilesOf } from "./time-buckets.ts";

export class SpanTimes {
  readonly #counts = new Uint32Array(bucketCount);

  record(durationMs: number): void {
    const index = bucketOf(durationMs);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  /** Of what was recorded since the last call. */
  take(): Percentiles {
    const percentiles = percentilesOf(this.#counts);
    if (percentiles.p50 !== null) this.#counts.fill(0);
    return percentiles;
  }
}
