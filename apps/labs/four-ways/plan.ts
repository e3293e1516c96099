/**
 * What is offered, and what there is to serve it with: the same for all four ways.
 *
 * Nothing here tries to find out how fast this machine is. Scorer, SMS provider and commit each take a time that is
 * known, over a number of connections that is known, so that capacity is small and ten times as much can be offered.
 */
import type { FourWaysPlan } from "@plateau/domain";
import type { WaySettings } from "./way.ts";

export const settings: WaySettings = {
  waitMs: 1_000,
  decideWithinMs: 5_000,
  // 100 people a second at most.
  riskConnections: 4,
  riskLatencyMs: 40,
  // 40 messages a second.
  smsConnections: 4,
  smsLatencyMs: 100,
  databaseConnections: 8,
  // 62 a second for everything that locks one and the same row.
  commitWaitMs: 16,
  tokensPerSecond: 40,
  tokenBurst: 10,
  // What 100 a second decide within the deadline, less some for a slow second.
  queueRoom: 400,
};

/** Of way 1, whose slowest step is the SMS. */
const capacityPerSecond = (settings.smsConnections * 1_000) / settings.smsLatencyMs;

export type Size = "usual" | "small";
type Phases = FourWaysPlan["phases"];

const phasesOf: Readonly<Record<Size, Phases>> = {
  usual: [
    { name: "calm", seconds: 3, arrivalsPerSecond: capacityPerSecond / 4 },
    { name: "spike", seconds: 2, arrivalsPerSecond: capacityPerSecond * 10 },
    { name: "after", seconds: 9, arrivalsPerSecond: capacityPerSecond / 4 },
    { name: "drain", seconds: 8, arrivalsPerSecond: 0 },
  ],
  small: [
    { name: "calm", seconds: 1, arrivalsPerSecond: 10 },
    { name: "spike", seconds: 1, arrivalsPerSecond: 80 },
    { name: "after", seconds: 1, arrivalsPerSecond: 10 },
    { name: "drain", seconds: 12, arrivalsPerSecond: 0 },
  ],
};
/** Above what ways 1 and 4 sell in the time, below what comes: "sold out" is met as well. */
const stockOf: Readonly<Record<Size, number>> = { usual: 400, small: 40 };

export function planOf(seed: number, size: Size): FourWaysPlan {
  const phases = phasesOf[size];
  const arrivals = phases.reduce((sum, phase) => sum + phase.seconds * phase.arrivalsPerSecond, 0);
  return { seed, capacityPerSecond, phases, stock: stockOf[size], arrivals };
}

export const secondsOf = ({ phases }: Pick<FourWaysPlan, "phases">): number =>
  phases.reduce((sum, { seconds }) => sum + seconds, 0);

/** The seconds of the spike: first one, and the one after the last. */
export function spikeOf({ phases }: Pick<FourWaysPlan, "phases">): { readonly from: number; readonly to: number } {
  const index = phases.findIndex(({ name }) => name === "spike");
  const from = secondsOf({ phases: phases.slice(0, index) });
  return { from, to: from + (phases[index]?.seconds ?? 0) };
}
