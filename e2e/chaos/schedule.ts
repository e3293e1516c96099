/**
 * What happens when: one round after the other, each a sale with a load of its own and a fault at one of four moments.
 *
 * Promise: the same seed gives the same rounds. Every fault comes once, in a drawn order, before one comes again, so
 * that longer runs try more and not the same.
 */
import type { Fault } from "./faults/fault.ts";

export const moments = ["idle", "peak", "sold-out edge", "payment-timeout edge"] as const;
export type Moment = (typeof moments)[number];

export interface Round {
  readonly fault: Fault;
  readonly moment: Moment;
}

/** Endless. */
export function* roundsOf(faults: readonly Fault[], random: () => number): Generator<Round, never> {
  for (;;) {
    for (const fault of shuffled(faults, random)) {
      const meet = moments.filter((moment) => moment !== fault.notAt);
      yield { fault, moment: meet[Math.floor(random() * meet.length)] as Moment };
    }
  }
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const drawn = [...list];
  for (let left = drawn.length; left > 1; ) {
    const at = Math.floor(random() * left--);
    [drawn[left], drawn[at]] = [drawn[at] as T, drawn[left] as T];
  }
  return drawn;
}
