import { expect, test } from "vitest";
import { backlogColumns, rateColumns } from "./columns.ts";
import type { Second } from "./second.ts";

const second = (atMs: number, backlog: number): Second => ({
  atMs,
  arrivals: 100,
  admitted: 40,
  shed: { "sold-out": 10, throttled: 20, overloaded: 30, other: 0 },
  decided: 25,
  backlog,
  latency: { answer: { p50: null, p95: null, p99: null } },
});

test("seconds that nobody sampled are a gap", () => {
  expect(backlogColumns([second(1_000, 1), second(2_000, 2), second(9_000, 3)])).toEqual([
    [1_000, 2_000, 2_001, 9_000],
    [1, 2, null, 3],
  ]);
});

test("those turned away stand on those let in, reason by reason, up to all who came", () => {
  expect(rateColumns([second(1_000, 0)])).toEqual([[1_000], [40], [50], [70], [100], [100], [100], [25]]);
});
