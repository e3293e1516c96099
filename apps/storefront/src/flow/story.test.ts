import { expect, test } from "vitest";
import type { Second } from "./second.ts";
import { rounded, storyOf } from "./story.ts";

interface Moment {
  readonly arrivals?: number;
  readonly decided?: number;
  readonly backlog?: number;
  readonly soldOut?: number;
  readonly throttled?: number;
}

const threeOf = (moment: Moment): Second[] =>
  [1, 2, 3].map((n) => ({
    atMs: n * 1_000,
    arrivals: moment.arrivals ?? 0,
    admitted: 0,
    shed: { "sold-out": moment.soldOut ?? 0, throttled: moment.throttled ?? 0, overloaded: 0, other: 0 },
    decided: moment.decided ?? 0,
    backlog: moment.backlog ?? 0,
    latency: { answer: { p50: 12.3, p95: null, p99: null } },
  }));
const kindOf = (moment: Moment) => storyOf(threeOf(moment)).kind;

test("each kind of moment has its sentence", () => {
  expect(storyOf([]).kind).toBe("unknown");
  expect(kindOf({})).toBe("quiet");
  expect(kindOf({ arrivals: 24, decided: 24 })).toBe("calm");
  expect(kindOf({ arrivals: 24, decided: 23, backlog: 4 })).toBe("calm");
  expect(kindOf({ arrivals: 3_200, decided: 200, backlog: 1_840 })).toBe("peak");
  expect(kindOf({ arrivals: 3_200, decided: 200, backlog: 1_840, throttled: 1_000 })).toBe("shedding");
  expect(kindOf({ arrivals: 3_200, decided: 200, throttled: 3_000 })).toBe("shedding");
  expect(kindOf({ decided: 200, backlog: 1_840 })).toBe("draining");
  expect(kindOf({ arrivals: 800, decided: 10, soldOut: 780 })).toBe("sold-out");
  expect(kindOf({ arrivals: 30, backlog: 900 })).toBe("standstill");
});

test("the peak is told in figures of two digits, with the wait that the queue makes", () => {
  expect(storyOf(threeOf({ arrivals: 3_214, decided: 203, backlog: 1_836 }))).toEqual({
    kind: "peak",
    arrivals: 3_200,
    decided: 200,
    shed: 0,
    backlog: 1_800,
    waitSeconds: 9,
  });
  expect([0, 0.4, 7.6, 99, 101, 12_345].map(rounded)).toEqual([0, 0, 8, 99, 100, 12_000]);
});

test("one second in which nothing was decided is no standstill", () => {
  const seconds = threeOf({ arrivals: 400, decided: 40, backlog: 300 });
  expect(storyOf([...seconds.slice(0, 2), { ...(seconds[2] as Second), decided: 0 }]).kind).toBe("peak");
});
