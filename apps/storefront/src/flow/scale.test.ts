import type { FlowSample } from "@plateau/domain/http";
import { expect, test } from "vitest";
import { withSample } from "./samples.ts";
import { areaPath, linePath, roundedTop, spreadLabels } from "./scale.ts";

test("the top of a scale is a round number that holds the value", () => {
  expect([0, 9, 11, 160, 260, 1_000, 70_000].map((value) => roundedTop(value, 10))).toEqual([
    10, 10, 20, 200, 500, 1_000, 100_000,
  ]);
});

test("labels keep their distance and their order, and never leave the chart", () => {
  expect(spreadLabels([100, 100, 100], 18, 100)).toEqual([64, 82, 100]);
  expect(spreadLabels([10, 50, 90], 18, 100)).toEqual([10, 50, 90]);
  expect(spreadLabels([95, 90], 18, 100)).toEqual([95, 77]);
});

test("a line without points is empty, an area is closed along its base", () => {
  expect(linePath([])).toBe("");
  expect(areaPath([], 10)).toBe("");
  expect(
    areaPath(
      [
        { x: 0, y: 5 },
        { x: 10, y: 2 },
      ],
      10,
    ),
  ).toBe("M0.0 5.0 L10.0 2.0 L10.0 10 L0.0 10 Z");
});

test("samples stay in order, without doubles, for three minutes", () => {
  const sample = (atMs: number): FlowSample => ({
    atMs,
    arrivals: 0,
    admitted: 0,
    decided: 0,
    refused: {},
    backlog: 0,
    answerMs: { p50: null, p95: null, p99: null },
    stages: [],
  });
  const heard = [0, 1_000, 1_000, 500, 2_000, 181_500].map(sample);
  expect(heard.reduce(withSample, [] as readonly FlowSample[]).map(({ atMs }) => atMs)).toEqual([2_000, 181_500]);
});
