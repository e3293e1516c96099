/** Scales and lines of the chart: plain arithmetic, so that it can be checked without a browser. */

/** The next of 1, 2, 5 × 10ⁿ that holds the value; at least `floor`. */
export function roundedTop(value: number, floor: number): number {
  const wanted = Math.max(value, floor);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= wanted) ?? 10;
  return step * power;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export const linePath = (points: readonly Point[]): string =>
  points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join(" ");

export function areaPath(points: readonly Point[], baseY: number): string {
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined) return "";
  return `${linePath(points)} L${last.x.toFixed(1)} ${baseY} L${first.x.toFixed(1)} ${baseY} Z`;
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
