/**
 * The experiment of lesson 01 as the control room and the lab see it: four ways to serve one purchase endpoint under
 * the same load, one after another, their curves, and what came out.
 *
 * What can go wrong: a viewer comes in the middle, or when nothing ran yet; every part is there from the start, empty
 * until it is known. A verdict is `unknown` until it was looked at, and `unknown` is no pass.
 */
import { z } from "zod";

/** In the order in which they run. */
export const ways = ["all-synchronous", "two-synchronous", "request-queue", "token-bucket"] as const;
const verdict = z.enum(["pass", "fail", "unknown"]);

/** Nothing but the seed of the arrivals can be chosen, so that no caller makes it long or heavy. */
export const FourWaysBody = z
  .strictObject({ seed: z.int().min(1).max(1_000_000_000).optional() })
  .optional()
  .nullable();

/** The same for all four ways. Phases follow one another from second 0 of a way. */
export const FourWaysPlan = z.object({
  seed: z.int(),
  /** What way 1 can decide at best. */
  capacityPerSecond: z.number(),
  /** In the order in which they come; `drain` has no arrivals, and ends early once everybody knows how it ended. */
  phases: z.array(
    z.object({ name: z.enum(["calm", "spike", "after", "drain"]), seconds: z.int(), arrivalsPerSecond: z.number() }),
  ),
  stock: z.int(),
  /** How many shoppers come in all. */
  arrivals: z.int(),
});

/** One second of one way. Shoppers count in the second in which they came, answers in that in which they were known. */
export const FourWaysSecond = z.object({
  /** 0 is the first one of this way. */
  second: z.int().nonnegative(),
  arrivals: z.int(),
  /** Won: a unit of the stock is theirs. */
  accepted: z.int(),
  /** Decided against: sold out, or risk said no. */
  declined: z.int(),
  /** Turned away before anything was done for them. */
  refused: z.int(),
  /** No decision in time, an error, or no answer at all. */
  failed: z.int(),
  /** From arriving to knowing the end, of those who got to know it in this second, ms; null without any. */
  p50Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
  databaseStatements: z.int(),
  /** Connections that were busy in the database, on average over the second: 1 is one connection all the time. */
  databaseBusy: z.number(),
  /** Shoppers who came and are not decided, at the end of the second. */
  backlog: z.int(),
  /** Steps of accepted purchases (order, SMS, statistics) still to be done, at the end of the second. */
  following: z.int(),
});

/** Of one whole way. */
export const FourWaysSummary = z.object({
  accepted: z.int(),
  declined: z.int(),
  refused: z.int(),
  failed: z.int(),
  /** Over the spike and the four seconds after it. */
  acceptedPerSecond: z.number(),
  /** Until they knew, of those who came in the spike, however it ended for them. */
  p50Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
  peakDatabaseStatements: z.int(),
  peakDatabaseBusy: z.number(),
  databaseStatementsPerAccepted: z.number().nullable(),
  peakBacklog: z.int(),
});

/** Something that had to hold. `id` is stable, the evidence is for people. */
export const FourWaysCheck = z.object({ id: z.string(), title: z.string(), verdict, evidence: z.string() });

export const FourWaysCurve = z.object({
  way: z.enum(ways),
  state: z.enum(["waiting", "running", "checking", "done"]),
  /** Oldest first, without gaps. */
  seconds: z.array(FourWaysSecond),
  summary: FourWaysSummary.nullable(),
  /** Whether what was told and what was stored agree: no oversell, one order per accepted, conservation. */
  truth: z.array(FourWaysCheck),
});

/** `GET /api/ops/four-ways`. */
export const FourWaysReport = z.object({
  /** `idle`: never started here. `stopped`: somebody ended it. `failed`: it could not go on; `problem` says why. */
  state: z.enum(["idle", "starting", "running", "done", "stopped", "failed"]),
  startedAt: z.iso.datetime().nullable(),
  /** Until everything is known, at most; null unless it runs. */
  remainingMs: z.int().nonnegative().nullable(),
  plan: FourWaysPlan.nullable(),
  /** Always all four, in order. */
  curves: z.array(FourWaysCurve),
  /** Comparisons between the ways, once all four have run. */
  comparisons: z.array(FourWaysCheck),
  verdict,
  problem: z.string().nullable(),
});

export type Way = (typeof ways)[number];
export type FourWaysBody = z.infer<typeof FourWaysBody>;
export type FourWaysPlan = z.infer<typeof FourWaysPlan>;
export type FourWaysSecond = z.infer<typeof FourWaysSecond>;
export type FourWaysSummary = z.infer<typeof FourWaysSummary>;
export type FourWaysCheck = z.infer<typeof FourWaysCheck>;
export type FourWaysCurve = z.infer<typeof FourWaysCurve>;
export type FourWaysReport = z.infer<typeof FourWaysReport>;

/** What there is to see before anything was started. */
export const noFourWaysYet: FourWaysReport = {
  state: "idle",
  startedAt: null,
  remainingMs: null,
  plan: null,
  curves: ways.map((way) => ({ way, state: "waiting", seconds: [], summary: null, truth: [] })),
  comparisons: [],
  verdict: "unknown",
  problem: null,
};
