/**
 * The ready scenarios: what is offered, and what the workers can decide of it.
 *
 * The cost of a decision is chosen by the workers that there are when it begins, so that one machine can really offer
 * ten times what they decide; who then turns the number of workers up sees the flat line rise. A full queue holds
 * twelve seconds of work, which is what it takes to drain.
 */
import type { Knobs, SpikeScenario, SpikeScenarioId } from "@plateau/domain";

export interface SpikePlan extends SpikeScenario {
  readonly decisionCostMs: number;
  /** Settings while it plays; then they are as before. */
  readonly knobs: Partial<Knobs>;
  readonly trouble?: {
    readonly id: "risk" | "kill-worker";
    /** After the first request. */
    readonly afterMs: number;
  };
}

const steadyPerSecond = 40;
const quickPerSecond = 1_000;
const queueHoldsSeconds = 12;

/** More are not offered, whatever the settings: one thread sends them. */
export const offeredMaxPerSecond = 1_000;

export function planOf(id: SpikeScenarioId, knobs: Knobs): SpikePlan {
  switch (id) {
    case "quiet":
      return plan(id, knobs, { offeredPerSecond: 20, seconds: 20 });
    case "ten-times":
      return plan(id, knobs, { offeredPerSecond: 10 * steadyPerSecond, seconds: 20 });
    case "sold-out-at-once":
      return plan(id, knobs, { offeredPerSecond: 600, seconds: 5, stock: 200, wantedPerSecond: quickPerSecond });
    case "slow-risk-check":
      return {
        ...plan(id, knobs, { offeredPerSecond: steadyPerSecond / 2, seconds: 20 }),
        trouble: { id: "risk", afterMs: 5_000 },
      };
    case "worker-dies": {
      const workers = Math.max(2, knobs.workers);
      const dies = plan(id, { ...knobs, workers }, { offeredPerSecond: 10 * steadyPerSecond, seconds: 20 });
      return { ...dies, knobs: { ...dies.knobs, workers }, trouble: { id: "kill-worker", afterMs: 8_000 } };
    }
  }
}

interface Wish {
  readonly offeredPerSecond: number;
  readonly seconds: number;
  readonly stock?: number;
  /** What the workers are to decide. */
  readonly wantedPerSecond?: number;
}

function plan(id: SpikeScenarioId, { workers, decisionCostMs }: Knobs, wish: Wish): SpikePlan {
  const { offeredPerSecond, seconds, stock = 10_000, wantedPerSecond = steadyPerSecond } = wish;
  // The setting's cost comes on top of the sale's.
  const wholeCostMs = Math.max(Math.ceil((workers * 1_000) / wantedPerSecond), decisionCostMs, 1);
  const capacityPerSecond = Math.round((workers * 1_000) / wholeCostMs);
  return {
    id,
    stock,
    seconds,
    offeredPerSecond: Math.min(offeredPerSecond, offeredMaxPerSecond),
    capacityPerSecond,
    decisionCostMs: wholeCostMs - decisionCostMs,
    knobs: { backlogMax: Math.max(1, Math.round(capacityPerSecond * queueHoldsSeconds)) },
  };
}
