import { describe, expect, it } from "vitest";
import { afterWinning, arrivals } from "./temperament.ts";

describe("the crowd's temper", () => {
  it("pays mostly, and every other way of ending a reservation occurs", () => {
    const kinds = Array.from({ length: 100 }, (_, index) => afterWinning(index / 100));
    const count = (kind: string): number => kinds.filter((candidate) => candidate === kind).length;
    expect(count("pays")).toBe(86);
    expect(count("abandons")).toBe(5);
    expect(new Set(kinds).size).toBe(4);
  });

  it("arrives in order, within the time, and more at the beginning than at the end", () => {
    let draw = 0;
    const times = arrivals(1_000, 4_000, () => (draw = (draw + 0.618_034) % 1));
    expect(times).toEqual([...times].sort((one, other) => one - other));
    expect(times.at(-1)).toBeLessThanOrEqual(4_000);
    expect(times.filter((ms) => ms < 1_000).length).toBeGreaterThan(3 * times.filter((ms) => ms > 3_000).length);
  });
});
