/**
 * The interleavings behind the truth rules, each as settings drawn from a seed. What happens in a run is the same
 * everywhere (truth-run.ts); a scenario makes its own interleaving frequent.
 */
import type { Random } from "queue-core/simulation";
import type { TruthSettings } from "./truth-settings.ts";

export type Scenario = (random: Random) => TruthSettings;

const usual = (random: Random): TruthSettings => ({
  shoppers: random.integer(4, 8),
  users: random.integer(3, 8),
  stock: random.integer(2, 8),
  gateways: random.integer(2, 3),
  workers: random.integer(1, 2),
  leaseMs: random.pick([200, 500]),
  arriveWithinMs: random.between(100, 800),
  decideWithinMs: [300, 900],
  waitMs: [1, 200],
  retries: [0, 1],
  retryWithinMs: 400,
  paymentTimeoutMs: 400,
  payments: [0, 0],
  aroundDueMs: [-20, 20],
  cancelChance: 0,
  lossChance: 0.05,
  troubles: { publish: 0.1, decision: 0.1, payment: 0, most: 4 },
});

/** 1: a publish of unknown outcome, then `resolve`: the original is stored or not, before or after it. */
export const unknownPublish: Scenario = (random) => ({
  ...usual(random),
  decideWithinMs: [20, 250],
  lossChance: 0.4,
  troubles: { publish: 0.25, decision: 0.05, payment: 0, most: 4 },
});

/** 2: the same key again at another gateway, at any moment relative to crash, decision and reply. */
export const retriedElsewhere: Scenario = (random) => ({
  ...usual(random),
  retries: [1, 4],
  retryWithinMs: random.pick([5, 30, 600]),
  troubles: { publish: 0.1, decision: 0.25, payment: 0, most: 5 },
});

/** 3: payments, a cancellation and the reservation's own expiry race each other. */
export const payAgainstExpire: Scenario = (random) => ({
  ...usual(random),
  stock: random.integer(4, 10),
  paymentTimeoutMs: random.integer(150, 600),
  payments: [1, 2],
  aroundDueMs: random.pick([
    [-25, 10],
    [-8, 8],
    [-120, 10],
  ]),
  cancelChance: 0.3,
  troubles: { publish: 0.02, decision: 0.08, payment: 0.3, most: 5 },
});

/** 4: decided at the deadline itself, and not stored in time: whoever decides it again finds it late. */
export const expiredWhileCommitting: Scenario = (random) => ({
  ...usual(random),
  stock: 20,
  users: 20,
  decideWithinMs: random.pick([
    [2, 12],
    [4, 30],
  ]),
  lossChance: 0,
  troubles: { publish: 0.02, decision: 0.5, payment: 0, most: 5 },
});
