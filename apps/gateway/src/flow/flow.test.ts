import type { FlowSample } from "@plateau/domain";
import { expect, test } from "vitest";
import { AnswerTimes } from "./answer-times.ts";
import { FlowHistory, historySamplesMax } from "./flow-history.ts";
import { FlowMeter } from "./flow-meter.ts";

test("percentiles are of the last ten seconds, true to within a twentieth", () => {
  const times = new AnswerTimes();
  expect(times.percentiles(0)).toEqual({ p50: null, p95: null, p99: null });
  for (let ms = 1; ms <= 100; ms++) times.record(ms, 1_000);
  const { p50, p95, p99 } = times.percentiles(5_000);
  for (const [told, wanted] of [
    [p50, 50],
    [p95, 95],
    [p99, 99],
  ] as const) {
    expect(told).toBeGreaterThanOrEqual(wanted * 0.99);
    expect(told).toBeLessThanOrEqual(wanted * 1.05);
  }
  times.record(7, 10_500);
  expect(times.percentiles(10_900).p99).toBeGreaterThan(90);
  expect(times.percentiles(11_000).p99).toBeLessThan(7.5);
  times.record(1e9, 11_000);
  expect(times.percentiles(11_000).p99).toBeGreaterThan(60_000);
});

test("what is counted is given out once, in the window of its second, and the sums agree", () => {
  const meter = new FlowMeter("g_1");
  meter.admitted("s_1", 1_200);
  meter.refused("sold-out", "s_1", 1_900, 41);
  meter.refused("sold-out", "s_1", 1_950, 41);
  meter.refused("throttled", "s_2", 1_999);
  meter.refused("not-found", undefined, 1_999);
  expect(meter.takeWindows(1_999)).toEqual([]);
  meter.admitted("s_1", 2_000);
  const windows = meter.takeWindows(2_001);
  expect(windows).toContainEqual({
    gatewayId: "g_1",
    saleId: "s_1",
    windowStartMs: 1_000,
    arrivals: 3,
    admitted: 1,
    refused: { "sold-out": 2 },
    hints: [{ position: 41, count: 2 }],
  });
  expect(windows).toHaveLength(2);
  expect(meter.takeWindows(3_000)).toMatchObject([{ saleId: "s_1", windowStartMs: 2_000, arrivals: 1, admitted: 1 }]);
  expect(meter.takeWindows(Number.POSITIVE_INFINITY)).toEqual([]);
});

test("the history keeps the newest three minutes in order, and no instant twice", () => {
  const history = new FlowHistory();
  const sample = (atMs: number, arrivals: number): FlowSample => ({
    atMs,
    arrivals,
    admitted: 0,
    decided: 0,
    refused: {},
    backlog: 0,
    answerMs: { p50: null, p95: null, p99: null },
    stages: [],
  });
  for (let second = 0; second <= historySamplesMax; second++) history.add(sample(second * 1_000, 1));
  history.add(sample(historySamplesMax * 1_000, 2));
  history.add(sample(500, 2));
  expect(history.samples.map(({ atMs }) => atMs)).toEqual(
    Array.from({ length: historySamplesMax }, (_, index) => (index + 1) * 1_000),
  );
  expect(history.samples.every(({ arrivals }) => arrivals === 1)).toBe(true);
});
