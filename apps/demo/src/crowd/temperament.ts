/** What kinds of shoppers come, and when: pure, so that a crowd can be foretold in a test. */

export type AfterWinning = "pays" | "pays after a declined card" | "cancels" | "abandons";

/** Of a hundred winners. */
const shares: readonly (readonly [AfterWinning, number])[] = [
  ["pays", 86],
  ["pays after a declined card", 5],
  ["cancels", 4],
  ["abandons", 5],
];

/** `draw` in [0, 1). */
export function afterWinning(draw: number): AfterWinning {
  let left = draw * 100;
  for (const [kind, share] of shares) {
    left -= share;
    if (left < 0) return kind;
  }
  return "pays";
}

/**
 * When each shopper presses the button, ms after the sale opens, in order. Most press at once and ever fewer later,
 * as at a real opening: the density falls linearly to zero at `overMs`.
 */
export function arrivals(count: number, overMs: number, random: () => number): readonly number[] {
  return Array.from({ length: count }, () => overMs * (1 - Math.sqrt(1 - random()))).sort((one, other) => one - other);
}
