import type { FlowSample } from "@plateau/domain/http";
import { expect, test } from "vitest";
import { keptMs, type Second, secondOf, shedInAll, withHistory, withSecond } from "./second.ts";

const nothing = { p50: null, p95: null, p99: null };
const second = (atMs: number, arrivals = 0): Second => ({
  atMs,
  arrivals,
  admitted: 0,
  shed: { "sold-out": 0, throttled: 0, overloaded: 0, other: 0 },
  decided: 0,
  backlog: 0,
  latency: { answer: nothing },
});
const times = (seconds: readonly Second[]) => seconds.map(({ atMs }) => atMs);

test("seconds stay in order, without doubles, for an hour", () => {
  const heard = [0, 1_000, 1_000, 500, 2_000, keptMs + 1_500].map((atMs) => second(atMs));
  expect(times(heard.reduce(withSecond, [] as readonly Second[]))).toEqual([2_000, keptMs + 1_500]);
});

test("a history joins what was heard: no instant twice at the seam, gaps filled, nothing later lost", () => {
  const history = [2_000, 3_000, 4_000].map((atMs) => second(atMs, 7));
  expect(withHistory([], history)).toEqual(history);
  expect(times(withHistory([second(4_000)], []))).toEqual([4_000]);
  const heard = [1_000, 2_000, 3_400, 4_000, 5_000].map((atMs) => second(atMs));
  const joined = withHistory(heard, history);
  expect(times(joined)).toEqual([1_000, 2_000, 3_000, 4_000, 5_000]);
  expect(joined.filter(({ arrivals }) => arrivals === 7)).toEqual(history);
});

test("what was heard before a gateway started anew stays, and leaves after an hour", () => {
  const heard = [0, keptMs - 1_000, keptMs + 50_000].map((atMs) => second(atMs));
  const joined = withHistory(heard, [second(keptMs + 100_000)]);
  expect(times(joined)).toEqual([keptMs + 50_000, keptMs + 100_000].toSpliced(0, 0, keptMs - 1_000));
});

test("only refusals at the door count as turned away; unknown reasons are others", () => {
  const sample: FlowSample = {
    atMs: 1,
    arrivals: 20,
    admitted: 5,
    decided: 5,
    refused: { throttled: 4, "sold-out": 3, sold_out: 5, velocity: 1, "sale-not-open": 2 },
    backlog: 0,
    answerMs: nothing,
    stages: [],
  };
  const { shed } = secondOf(sample);
  expect(shed).toEqual({ "sold-out": 3, throttled: 4, overloaded: 0, other: 2 });
  expect(shedInAll({ shed })).toBe(9);
});
