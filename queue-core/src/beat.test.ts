import { expect, test } from "vitest";
import { untilBeatMs } from "./beat.ts";

test.each([
  [10_000, 1_000],
  [10_001, 999],
  [10_400, 600],
  [10_999, 1_001],
  [9_999.5, 1_000.5],
])("at %d the next beat of 1,000 ms is %d away", (nowMs, leftMs) => {
  expect(untilBeatMs(nowMs, 1_000)).toBe(leftMs);
});

test("whoever waits from any moment wakes on a beat, after half a period to one and a half", () => {
  for (let nowMs = 0; nowMs < 3_000; nowMs += 7) {
    const leftMs = untilBeatMs(nowMs, 300);
    expect((nowMs + leftMs) % 300).toBe(0);
    expect(leftMs).toBeGreaterThanOrEqual(150);
    expect(leftMs).toBeLessThanOrEqual(450);
  }
});
