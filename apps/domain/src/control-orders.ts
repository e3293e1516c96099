/**
 * What the control room can order beside settings: faults, each of which ends by itself, and spikes, one at a time.
 * Times called `…Ms` are milliseconds; `startedAtMs` and others that name a moment are ms since epoch, engine time.
 */
import { z } from "zod";
import { poisonable } from "./http.ts";

/** Every fault ends by itself after its seconds. */
const seconds = (usual: number) => z.number().min(1).max(300).default(usual);
const every = z.int().min(1).max(1_000_000);

/** Groups that can be paused or be given messages twice. */
export const faultyGroups = ["risk", "stock", "order", "payment", "sms", "stats"] as const;

const providerOrder = z.strictObject({
  seconds: seconds(30),
  /** Before its work begins; default as usual. */
  latencyMs: z.number().min(0).max(60_000).optional(),
  /** Every n-th call is answered 503 and does nothing; 1 for all, 0 for none. */
  failEvery: z.int().min(0).optional(),
  /** This share of the calls is answered 503 and does nothing. */
  failRate: z.number().min(0).max(1).optional(),
  /** Every n-th call does its work, and its answer is lost. */
  loseEvery: z.int().min(0).optional(),
  /** Calls above it are answered 429; 0 for no limit. */
  ratePerSecond: z.number().min(0).max(1_000_000).optional(),
});

/** The body of `PUT /api/ops/faults/:id`, by id; everything may be left out. */
export const FaultOrders = {
  /** A member of risk and one of stock stop without giving back their leases; a replacement comes after `seconds`. */
  "kill-worker": z.strictObject({ seconds: seconds(8) }),
  /** The group takes nothing more until it is over. */
  "pause-group": z.strictObject({ seconds: seconds(15), group: z.enum(faultyGroups).default("sms") }),
  /** Every n-th message that the group handled is handed to it once more. Not for risk and stock: they decide once. */
  "deliver-twice": z.strictObject({
    seconds: seconds(20),
    group: z.enum(["order", "payment", "sms", "stats"]).default("order"),
    every: every.default(1),
  }),
  /** Puts one message that nobody can read into a topic. Over at once; it ends among the dead letters. */
  poison: z.strictObject({ topic: z.enum(poisonable).default("purchase-requests") }),
  /** Every call to the database, of consumers and gateways, takes so much longer. */
  "slow-database": z.strictObject({ seconds: seconds(20), delayMs: z.number().min(1).max(5_000).default(300) }),
  /** Replies on their way to the gateways: every n-th never comes (0: none), the others up to `delayMs` later. */
  replies: z.strictObject({
    seconds: seconds(20),
    loseEvery: z.int().min(0).max(1_000_000).default(0),
    delayMs: z.number().min(0).max(30_000).default(0),
  }),
  payments: providerOrder,
  sms: providerOrder,
  risk: providerOrder,
} as const;

export const faultIds = [
  "kill-worker",
  "pause-group",
  "deliver-twice",
  "poison",
  "slow-database",
  "replies",
  "payments",
  "sms",
  "risk",
] as const satisfies readonly (keyof typeof FaultOrders)[];

export const FaultState = z.object({
  id: z.enum(faultIds),
  active: z.boolean(),
  /** Of the fault that acts now, or of the last one; null where there was none since the start. */
  startedAtMs: z.int().nullable(),
  /** When it ends by itself, or when it ended. */
  untilMs: z.int().nullable(),
  /** How often it struck (members killed, messages given twice, calls slowed, …); null where nobody counts. */
  hits: z.int().nullable(),
  /** As ordered, what was left out included. */
  order: z.record(z.string(), z.union([z.string(), z.number()])).nullable(),
  /** Why it cannot be ordered here, as a sentence; null where it can. */
  unavailable: z.string().nullable(),
});
export const FaultStates = z.object({ faults: z.array(FaultState) });

/** What the spike generator can play; each makes a sale of its own, with a cost of decision that sets the capacity. */
export const spikeScenarios = [
  /** 20 a second for 20 s: well below what one worker decides. */
  "quiet",
  /** Ten times what the workers decide, for 20 s. */
  "ten-times",
  /** A small stock and a crowd that takes it within a second. */
  "sold-out-at-once",
  /** The risk scorer takes longer than risk control waits for it. */
  "slow-risk-check",
  /** Ten times, and a worker dies at the peak. */
  "worker-dies",
] as const;

export const SpikeBody = z.strictObject({ scenario: z.enum(spikeScenarios) });

export const SpikeStatus = z.object({
  id: z.string(),
  scenario: z.enum(spikeScenarios),
  /** preparing (sale, shoppers) → running → draining (what was admitted is decided) → ended | stopped | failed. */
  state: z.enum(["preparing", "running", "draining", "ended", "stopped", "failed"]),
  /** One sentence where it failed. */
  problem: z.string().nullable(),
  startedAtMs: z.int(),
  /** Of the first request; null while it prepares. */
  runningSinceMs: z.int().nullable(),
  endedAtMs: z.int().nullable(),
  /** Null until it is made. */
  saleId: z.string().nullable(),
  stock: z.int(),
  /** What is offered, and what the workers decide at most, per second. */
  offeredPerSecond: z.number(),
  capacityPerSecond: z.number(),
  /** Of requests, how long they come. */
  seconds: z.number(),
  /** So far. `answers` by HTTP status; `outcomes` by state or problem code, as first answered. */
  sent: z.int(),
  answered: z.int(),
  answers: z.record(z.string(), z.int()),
  outcomes: z.record(z.string(), z.int()),
});

export const SpikeScenario = z.object({
  id: z.enum(spikeScenarios),
  stock: z.int(),
  /** As they would be now, with the workers that there are. */
  offeredPerSecond: z.number(),
  capacityPerSecond: z.number(),
  seconds: z.number(),
});

export const Spikes = z.object({
  /** Why none can be played here, as a sentence; null where they can. */
  unavailable: z.string().nullable(),
  scenarios: z.array(SpikeScenario),
  /** The one that runs, or the last. */
  current: SpikeStatus.nullable(),
});

export type FaultId = (typeof faultIds)[number];
export type FaultyGroup = (typeof faultyGroups)[number];
export type FaultState = z.infer<typeof FaultState>;
export type SpikeScenarioId = (typeof spikeScenarios)[number];
export type SpikeScenario = z.infer<typeof SpikeScenario>;
export type SpikeStatus = z.infer<typeof SpikeStatus>;
export type Spikes = z.infer<typeof Spikes>;
