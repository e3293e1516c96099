/**
 * Answer times of the last ten seconds, as counts in buckets that grow by a twentieth: a percentile is true to
 * within 5 %, and a request costs one increment.
 */
const growth = Math.log(1.05);
const smallestMs = 0.05;
/** Up to about 75 s. */
const bucketCount = 292;
const seconds = 10;

export interface Percentiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

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
    const bucket = durationMs <= smallestMs ? 0 : Math.ceil(Math.log(durationMs / smallestMs) / growth);
    const index = Math.min(bucket, bucketCount - 1);
    slot.counts[index] = (slot.counts[index] ?? 0) + 1;
  }

  percentiles(nowMs: number): Percentiles {
    const oldest = Math.floor(nowMs / 1000) - seconds;
    const sum = new Uint32Array(bucketCount);
    let total = 0;
    for (const { second, counts } of this.#slots) {
      if (second <= oldest) continue;
      for (let index = 0; index < bucketCount; index++) {
        const count = counts[index] ?? 0;
        sum[index] = (sum[index] ?? 0) + count;
        total += count;
      }
    }
    const at = (share: number): number | null => (total === 0 ? null : durationAt(sum, Math.ceil(total * share)));
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
  }
}

/** The upper edge of the bucket in which the rank-th answer lies, in ms with two decimals. */
function durationAt(counts: Uint32Array, rank: number): number {
  let seen = 0;
  let bucket = 0;
  for (; bucket < bucketCount - 1; bucket++) {
    seen += counts[bucket] ?? 0;
    if (seen >= rank) break;
  }
  return Math.round(smallestMs * Math.exp(bucket * growth) * 100) / 100;
}
