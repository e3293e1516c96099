/**
 * How long to wait before the n-th repeat: exponential, capped, with jitter.
 *
 * What can go wrong: many members that failed together would come back together; half of each wait is random.
 */
export interface BackoffRange {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** `repeat` counts from 1. Between half and all of `firstMs * 2^(repeat - 1)`, at most `longestMs`. */
export function backoffMs(repeat: number, range: BackoffRange, random: () => number): number {
  const full = Math.min(range.longestMs, range.firstMs * 2 ** Math.min(repeat - 1, 40));
  return Math.ceil(full * (0.5 + random() / 2));
}
