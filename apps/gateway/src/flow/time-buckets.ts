/**
 * Durations as counts in buckets that grow by a twentieth: a percentile is true to within 5 %, and a measurement costs
 * one increment.
 */
const growth = Math.log(1.05);
const smallestMs = 0.05;
/** Up to about 75 s. */
export const bucketCount = 292;

export interface Percentiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

export function bucketOf(durationMs: number): number {
  const bucket = durationMs <= smallestMs ? 0 : Math.ceil(Math.log(durationMs / smallestMs) / growth);
  return Math.min(bucket, bucketCount - 1);
}

/** In ms with two decimals; null where nothing was counted. */
export function percentilesOf(counts: Uint32Array): Percentiles {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const at = (share: number): number | null => (total === 0 ? null : durationAt(counts, Math.ceil(total * share)));
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** The upper edge of the bucket in which the rank-th lies. */
function durationAt(counts: Uint32Array, rank: number): number {
  let seen = 0;
  let bucket = 0;
  for (; bucket < bucketCount - 1; bucket++) {
    seen += counts[bucket] ?? 0;
    if (seen >= rank) break;
  }
  return Math.round(smallestMs * Math.exp(bucket * growth) * 100) / 100;
}
