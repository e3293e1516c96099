import { expect, it } from "vitest";
import { DecisionPace } from "./decision-pace.ts";

const { signal } = new AbortController();

/** A clock that stands still; what a sleep asks for is noted. */
function paceAt(startMs = 1_000) {
  const clock = {
    atMs: startMs,
    waits: [] as number[],
    nowMs: () => clock.atMs,
    sleep: async (ms: number) => {
      clock.waits.push(ms);
    },
  };
  return { clock, pace: new DecisionPace(clock) };
}
const costs = (count: number, each: number): readonly number[] => Array.from({ length: count }, () => each);

/** Spends what an idle worker may make up for, so that the bookings below begin now. */
async function busyPace() {
  const { clock, pace } = paceAt();
  await pace.take(costs(1, 100), signal);
  return { clock, pace };
}

it("takes as many decisions as fit into one booking, and waits until that is over", async () => {
  const { clock, pace } = await busyPace();
  expect(await pace.take(costs(256, 1), signal)).toBe(25);
  expect(clock.waits).toEqual([25]);
});

it("takes a decision that costs more than a booking whole", async () => {
  const { clock, pace } = await busyPace();
  expect(await pace.take(costs(3, 900), signal)).toBe(1);
  expect(clock.waits).toEqual([900]);
});

it("is one worker, however many partitions ask: their bookings follow one another", async () => {
  const { clock, pace } = await busyPace();
  await Promise.all(costs(8, 0).map(() => pace.take(costs(256, 1), signal)));
  expect(clock.waits).toEqual([25, 50, 75, 100, 125, 150, 175, 200]);
});

it("costs nothing where decisions cost nothing", async () => {
  const { clock, pace } = await busyPace();
  expect(await pace.take(costs(256, 0), signal)).toBe(256);
  expect(clock.waits).toEqual([]);
});

it("makes up for time lost between two bookings, but lets an idle worker save up no more than 100 ms", async () => {
  const { clock, pace } = await busyPace();
  await pace.take(costs(25, 1), signal);
  clock.atMs += 25 + 10;
  expect(await pace.take(costs(256, 1), signal)).toBe(35);
  clock.atMs += 60_000;
  expect(await pace.take(costs(256, 1), signal)).toBe(125);
  expect(clock.waits).toEqual([25, 25, 25]);
});
