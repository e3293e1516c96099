/**
 * What each scenario offers, read by its k6 script and by the runner: plain numbers, nothing of k6 or Node.
 *
 * `spike` does not try to find out how fast this machine is: it sets the cost of a decision, so that capacity is
 * known and small, and ten times as much can really be offered.
 */
export interface Plan {
  readonly stock: number;
  /** Arrivals per second. */
  readonly arrivalsPerSecond: number;
  readonly durationS: number;
  /** One each, so that nobody meets a limit meant for one person. */
  readonly shoppers: number;
  /** Settings for the time of the run; they are put back afterwards. */
  readonly knobs: Readonly<Record<string, number>>;
}

export const smoke: Plan = { stock: 60, arrivalsPerSecond: 60, durationS: 8, shoppers: 480, knobs: {} };

const decisionCostMs = 10;
/** One worker decides so many in a second. */
const capacityPerSecond = 1_000 / decisionCostMs;
const spikeDurationS = 15;
const spikeArrivalsPerSecond = capacityPerSecond * 10;

export const spike: Plan = {
  // Sold out two thirds of the way, so that both kinds of refusal are met: no room, and nothing left.
  stock: Math.round((capacityPerSecond * spikeDurationS * 2) / 3),
  arrivalsPerSecond: spikeArrivalsPerSecond,
  durationS: spikeDurationS,
  shoppers: spikeArrivalsPerSecond * spikeDurationS,
  knobs: {
    decisionCostMs,
    // What is admitted waits for half a second of decisions at most; the rest is told at once to come again.
    backlogMax: capacityPerSecond / 2,
    tokenRatePerSecond: 0,
  },
};

/** On one of the four ways alone: ten times what way 1 decides at best, of people who come once. */
export const waySpike = { arrivalsPerSecond: 400, durationS: 3 };

/** A run in which less of the plan was offered says nothing. */
export const offeredAtLeast = 0.95;
export const shedP99BarMs = 50;
export const admittedP99BarMs = 1_000;
