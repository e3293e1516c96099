import type { Mark } from "@plateau/domain/control-room";
import { expect, test } from "vitest";
import { secondsOfHistory } from "./room-seconds.ts";
import { withMarks } from "./use-room.ts";

const mark = (id: number, atMs: number): Mark => ({ id, atMs, kind: "knob", what: "workers", detail: {}, by: "" });

test("a mark heard twice counts once; marks keep their order, and leave after an hour", () => {
  const kept = withMarks([mark(1, 0), mark(3, 3_000)], [mark(2, 2_000), mark(3, 3_000)]);
  expect(kept.map(({ id }) => id)).toEqual([1, 2, 3]);
  expect(withMarks(kept, [mark(4, 3_601_000)]).map(({ id }) => id)).toEqual([2, 3, 4]);
});

test("a knob that is still being turned is one mark, as last told; a gateway that counts anew hides nothing", () => {
  const grown = { ...mark(1, 1_000), detail: { from: 1, to: 8 } };
  expect(withMarks([mark(1, 1_000)], [grown])).toEqual([grown]);
  expect(withMarks([mark(1, 1_000)], [mark(1, 9_000)])).toHaveLength(2);
});

test("columns become seconds, with every reason in its place", () => {
  const latency = { p50: [1, null], p95: [2, null], p99: [3, null] };
  const [first, second] = secondsOfHistory({
    gatewayId: "g",
    atMs: [1_000, 2_000],
    arrivals: [10, 20],
    admitted: [4, 5],
    shed: [6, 15],
    shedBy: { throttled: [6, 10], "key-reused": [0, 5] },
    decided: [3, 3],
    won: [1, 1],
    backlog: [7, 8],
    latency: { enqueue: latency, wait: latency, answer: latency },
    marks: [],
  });
  expect(first?.latency.answer).toEqual({ p50: 1, p95: 2, p99: 3 });
  expect(second).toMatchObject({
    atMs: 2_000,
    shed: { "sold-out": 0, throttled: 10, overloaded: 0, other: 5 },
    latency: { answer: { p50: null } },
  });
});
