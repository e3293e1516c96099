/** When shoppers come: at random moments of each phase, as many as planned, and the same ones for the same seed. */
import type { FourWaysPlan } from "@plateau/domain";

/** Ms from the start, rising. */
export function arrivalTimes({ seed, phases }: Pick<FourWaysPlan, "seed" | "phases">): readonly number[] {
  const random = seeded(seed);
  let fromMs = 0;
  return phases.flatMap(({ seconds, arrivalsPerSecond }) => {
    const phaseMs = seconds * 1_000;
    const times = Array.from(
      { length: Math.round(seconds * arrivalsPerSecond) },
      () => fromMs + random() * phaseMs,
    ).sort((one, other) => one - other);
    fromMs += phaseMs;
    return times;
  });
}

/** Random numbers in [0, 1) that a seed repeats (mulberry32, Tommy Ettinger 2017, public domain). */
function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
