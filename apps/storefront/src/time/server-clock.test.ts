import { expect, test } from "vitest";
import { createServerClock, offsetOf } from "./server-clock.ts";

test("the reading with the lowest round trip counts, half of it taken as the way", () => {
  expect(
    offsetOf([
      { askedAt: 0, answeredAt: 900, serverMs: 10_800 },
      { askedAt: 1_000, answeredAt: 1_020, serverMs: 11_010 },
      { askedAt: 2_000, answeredAt: 2_500, serverMs: 12_400 },
    ]),
  ).toBe(10_000);
  expect(offsetOf([])).toBeUndefined();
});

/** A server whose clock is `ahead` of the browser's; each answer takes the next of `delays`, half each way. */
function bed(delays: readonly (number | undefined)[]) {
  let monotonicMs = 500;
  const server = { ahead: 1_700_000_000_000 };
  const left = [...delays];
  const clock = createServerClock({
    monotonic: () => monotonicMs,
    samples: 3,
    async askServer() {
      const delay = left.shift();
      if (delay === undefined) return undefined;
      monotonicMs += delay / 2;
      const serverMs = monotonicMs + server.ahead;
      monotonicMs += delay / 2;
      return serverMs;
    },
  });
  return { clock, server, truth: () => monotonicMs + server.ahead, sleep: (ms: number) => (monotonicMs += ms) };
}

test("it follows the server through a slow network", async () => {
  const { clock, truth } = bed([800, 20, 300]);
  await clock.synchronise();
  expect(clock.now()).toBe(truth());
});

test("the page's first guess holds until the first synchronisation, and never after it", async () => {
  const { clock, truth } = bed([10, 10, 10]);
  clock.seed(42_000);
  expect(clock.now()).toBe(42_000);
  await clock.synchronise();
  expect(clock.now()).toBe(truth());
  clock.seed(42_000);
  expect(clock.now()).toBe(truth());
});

test("a synchronisation without an answer leaves the last one standing", async () => {
  const { clock, truth } = bed([10, 10, 10, undefined, undefined, undefined]);
  await clock.synchronise();
  await clock.synchronise();
  expect(clock.now()).toBe(truth());
});

test("after a sleep in which the browser's clock stood still the next synchronisation catches up", async () => {
  const { clock, server, truth } = bed([10, 10, 10, 10, 10, 10]);
  await clock.synchronise();
  server.ahead += 60_000;
  expect(truth() - clock.now()).toBe(60_000);
  await clock.synchronise();
  expect(clock.now()).toBe(truth());
});
