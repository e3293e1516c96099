import { expect, test } from "vitest";
import { roundedTop, roundTimes, rowsFor, spanEndingAt, spreadLabels } from "./scale.ts";

test("the top of a scale is a round number that holds the value", () => {
  expect([0, 9, 11, 160, 260, 1_000, 70_000].map((value) => roundedTop(value, 10))).toEqual([
    10, 10, 15, 200, 300, 1_000, 80_000,
  ]);
});

test("labels keep their distance and their order, and never leave the chart", () => {
  expect(spreadLabels([100, 100, 100], 18, 100)).toEqual([64, 82, 100]);
  expect(spreadLabels([10, 50, 90], 18, 100)).toEqual([10, 50, 90]);
  expect(spreadLabels([95, 90], 18, 100)).toEqual([95, 77]);
});

test("texts that would run into each other take rows of their own, until there is none left", () => {
  const texts = [0, 10, 20, 70, 200].map((x) => ({ x, width: 60 }));
  expect(rowsFor(texts, 2)).toEqual([0, 1, -1, 0, 0]);
});

test("times on the axis are round and inside the span", () => {
  expect(roundTimes({ fromMs: 4_000, toMs: 64_000 }, 6)).toEqual([10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
  expect(roundTimes({ fromMs: 0, toMs: 3_600_000 }, 2)).toEqual([0, 1_800_000, 3_600_000]);
});

test("a window keeps its length and stays inside the hour", () => {
  const whole = { fromMs: 0, toMs: 3_600_000 };
  expect(spanEndingAt(9_000_000, 180_000, whole)).toEqual({ fromMs: 3_420_000, toMs: 3_600_000 });
  expect(spanEndingAt(-5, 180_000, whole)).toEqual({ fromMs: 0, toMs: 180_000 });
  expect(spanEndingAt(600_000, 180_000, whole)).toEqual({ fromMs: 420_000, toMs: 600_000 });
});
