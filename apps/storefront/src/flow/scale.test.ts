import type { FlowSample } from "@plateau/domain/http";
import { expect, test } from "vitest";
import { withHistory, withSample } from "./samples.ts";
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

const sample = (atMs: number, arrivals = 0): FlowSample => ({
  atMs,
  arrivals,
  admitted: 0,
  decided: 0,
  refused: {},
  backlog: 0,
  answerMs: { p50: null, p95: null, p99: null },
  stages: [],
});

test("samples stay in order, without doubles, for three minutes", () => {
  const heard = [0, 1_000, 1_000, 500, 2_000, 181_500].map((atMs) => sample(atMs));
  expect(heard.reduce(withSample, [] as readonly FlowSample[]).map(({ atMs }) => atMs)).toEqual([2_000, 181_500]);
});

test("a history joins what was heard: no instant twice at the seam, gaps filled, nothing later lost", () => {
  const history = [2_000, 3_000, 4_000].map((atMs) => sample(atMs, 7));
  const times = (samples: readonly FlowSample[]) => samples.map(({ atMs }) => atMs);
  expect(withHistory([], history)).toEqual(history);
  expect(withHistory([sample(4_000)], []).map(({ atMs }) => atMs)).toEqual([4_000]);
  expect(history.concat(sample(4_000), sample(5_000)).reduce(withSample, [] as readonly FlowSample[])).toEqual([
    ...history,
    sample(5_000),
  ]);
  const joined = withHistory(
    [1_000, 2_000, 3_400, 4_000, 5_000].map((atMs) => sample(atMs)),
    history,
  );
  expect(times(joined)).toEqual([1_000, 2_000, 3_000, 4_000, 5_000]);
  expect(joined.filter(({ arrivals }) => arrivals === 7)).toEqual(history);
});

test("what was heard before a gateway started anew stays, and leaves after three minutes", () => {
  const joined = withHistory(
    [0, 100_000, 150_000].map((atMs) => sample(atMs)),
    [sample(200_000)],
  );
  expect(joined.map(({ atMs }) => atMs)).toEqual([100_000, 150_000, 200_000]);
});
