/**
 * The settings that act at once, and where they are kept while the process runs.
 *
 * What can go wrong: a patch that fits in part would leave settings nobody asked for, so a patch is checked as a
 * whole and applied as a whole or not at all. Readers get a frozen value: one decision sees one set of settings.
 */
import { Knobs, KnobsPatch } from "./http.ts";

/**
 * Wide enough for a load test from one machine and for the demo's crowd: a person alone never meets them, a script
 * that hammers does.
 */
export const defaultKnobs: Knobs = Object.freeze({
  decisionCostMs: 0,
  tokenRatePerSecond: 50_000,
  tokenBurst: 50_000,
  backlogMax: 100_000,
  userRatePerSecond: 5,
  addressRatePerSecond: 100,
  limitLoopback: false,
  velocityPerMinute: 30,
  accountsPerDevice: 10,
});

export interface KnobStore {
  get(): Knobs;
  /** The settings after the change. Throws a ZodError, and changes nothing, where the result would not fit `Knobs`. */
  patch(part: unknown): Knobs;
}

export function createKnobStore(initial: Partial<Knobs> = {}): KnobStore {
  let current: Knobs = Object.freeze(Knobs.parse({ ...defaultKnobs, ...initial }));
  return {
    get: () => current,
    patch(part) {
      current = Object.freeze(Knobs.parse({ ...current, ...KnobsPatch.parse(part) }));
      return current;
    },
  };
}
