import { expect, test } from "vitest";
import { positionOf, positions, valueAt } from "./knob-scale.ts";
import { knobBounds } from "./knob-settings.ts";

test("every knob that is a number has its bounds from the gateway's own schema", () => {
  const bounds = knobBounds();
  expect(bounds.decisionCostMs).toEqual({ min: 0, max: 10_000, whole: "any" });
  expect(bounds.backlogMax).toEqual({ min: 1, max: 1_000_000, whole: "whole" });
  expect(bounds.limitLoopback).toBeUndefined();
});

test("a slider reaches both ends exactly, never goes back, and gives values inside the bounds", () => {
  for (const bounds of Object.values(knobBounds())) {
    const values = Array.from({ length: positions + 1 }, (_, position) => valueAt(position, bounds));
    expect(values[0]).toBe(bounds.min);
    expect(values.at(-1)).toBe(bounds.max);
    expect(values.toSorted((a, b) => a - b)).toEqual(values);
    if (bounds.whole === "whole") expect(values.every(Number.isInteger)).toBe(true);
  }
});

test("a value stands where the slider would give it", () => {
  for (const bounds of Object.values(knobBounds())) {
    for (const position of [0, 35, 80, 100]) {
      const value = valueAt(position, bounds);
      const again = valueAt(positionOf(value, bounds), bounds);
      expect(Math.abs(again - value)).toBeLessThanOrEqual(Math.max(1, value * 0.2));
    }
  }
});
