/** Scales of the charts: plain arithmetic, so that it can be checked without a browser. */

/** Times between which a chart is drawn, by the gateway's clock. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

const steps = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

/** The next of 1, 1.5, 2, 3, 4, 5, 6, 8 × 10ⁿ that holds the value; at least `floor`. Few steps, so it seldom jumps. */
export function roundedTop(value: number, floor: number): number {
  const wanted = Math.max(value, floor);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = steps.find((factor) => factor * power >= wanted) ?? 10;
  return step * power;
}

/** Heights for labels that want to stand at `wanted`, at least `gap` apart, none below `bottom`; same order. */
export function spreadLabels(wanted: readonly number[], gap: number, bottom: number): number[] {
  const order = wanted.map((y, index) => ({ y, index })).toSorted((a, b) => a.y - b.y);
  let floor = bottom;
  const placed = new Array<number>(wanted.length).fill(0);
  for (const [rank, { y, index }] of order.toReversed().entries()) {
    const limit = rank === 0 ? bottom : floor - gap;
    floor = Math.min(y, limit);
    placed[index] = floor;
  }
  return placed;
}

/**
 * A row for each text that starts at its `x`, the first in which it does not run into the one before; -1 where all
 * rows are taken. Texts in the order of their `x`.
 */
export function rowsFor(texts: readonly { readonly x: number; readonly width: number }[], rows: number): number[] {
  const endOfRow = new Array<number>(rows).fill(Number.NEGATIVE_INFINITY);
  return texts.map(({ x, width }) => {
    const row = endOfRow.findIndex((end) => end <= x);
    if (row >= 0) endOfRow[row] = x + width;
    return row;
  });
}

const instants = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800].map((seconds) => seconds * 1_000);

/** Round times inside a span, at most `count` of them. */
export function roundTimes({ fromMs, toMs }: Span, count: number): number[] {
  const everyMs = instants.find((every) => (toMs - fromMs) / every <= count) ?? 3_600_000;
  const first = Math.ceil(fromMs / everyMs) * everyMs;
  const times: number[] = [];
  for (let atMs = first; atMs <= toMs; atMs += everyMs) times.push(atMs);
  return times;
}

/** Halves and the top of a scale; whole numbers only. */
export const roundValues = (top: number): number[] => (top % 2 === 0 ? [0, top / 2, top] : [0, top]);

/** A span of the same length that ends at `toMs`, kept inside `whole` as far as it fits. */
export function spanEndingAt(toMs: number, lengthMs: number, whole: Span): Span {
  const endMs = Math.min(whole.toMs, Math.max(toMs, Math.min(whole.toMs, whole.fromMs + lengthMs)));
  return { fromMs: endMs - lengthMs, toMs: endMs };
}
