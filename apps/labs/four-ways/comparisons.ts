/**
 * What the curves of the four ways have to show beside each other. Ratios, never times: they hold on a slow machine
 * too. Each can fail, and is `unknown` where too little was offered to say anything.
 */
import type { FourWaysCheck, FourWaysCurve, FourWaysPlan, FourWaysSummary, Way } from "@plateau/domain";
import { spikeOf } from "./plan.ts";

/** Of the plan; with less the run says nothing. */
const offeredAtLeast = 0.9;
/** Beyond it, what takes 40 ms by plan takes several times as long, and the run compares neighbours, not ways. */
const heldUpAtMostMs = 150;
/** The request queue's database load at its peak, against way 1's. */
const flatterThan = 0.6;
/** The token bucket's p99, against way 1's. */
const quickerThan = 0.5;
/** The request queue's failures, against way 1's. */
const fewerThan = 0.5;

type Summaries = Readonly<Record<Way, FourWaysSummary>>;
type Line = readonly [id: string, title: string, holds: (all: Summaries) => boolean, of: (all: Summaries) => string];

const lines: readonly Line[] = [
  [
    "database-flatter",
    "The request queue keeps the database calmer at the peak than five synchronous steps do",
    ({ "all-synchronous": one, "request-queue": three }) =>
      three.peakDatabaseBusy < one.peakDatabaseBusy * flatterThan &&
      three.peakDatabaseStatements < one.peakDatabaseStatements * flatterThan,
    ({ "all-synchronous": one, "request-queue": three }) =>
      `${three.peakDatabaseBusy.toFixed(1)} against ${one.peakDatabaseBusy.toFixed(1)} busy connections, ` +
      `${three.peakDatabaseStatements} against ${one.peakDatabaseStatements} statements/s`,
  ],
  [
    "two-steps-sell-more",
    "With two steps before the answer more is sold per second than with five",
    (all) => all["two-synchronous"].acceptedPerSecond > all["all-synchronous"].acceptedPerSecond,
    (all) =>
      `${all["two-synchronous"].acceptedPerSecond.toFixed(0)}/s against ` +
      `${all["all-synchronous"].acceptedPerSecond.toFixed(0)}/s`,
  ],
  [
    "queue-fails-fewer",
    "The request queue leaves fewer shoppers without a decision than five synchronous steps do",
    (all) => all["request-queue"].failed < all["all-synchronous"].failed * fewerThan,
    (all) => `${all["request-queue"].failed} against ${all["all-synchronous"].failed}`,
  ],
  [
    "queue-takes-more",
    "The request queue turns fewer away than the token bucket, and sells more",
    (all) =>
      all["request-queue"].refused < all["token-bucket"].refused &&
      all["request-queue"].accepted > all["token-bucket"].accepted,
    (all) =>
      `${all["request-queue"].refused} against ${all["token-bucket"].refused} refused, ` +
      `${all["request-queue"].accepted} against ${all["token-bucket"].accepted} sold`,
  ],
  [
    "bucket-answers-sooner",
    "The token bucket answers sooner than five synchronous steps do",
    (all) => (all["token-bucket"].p99Ms ?? Number.NaN) < (all["all-synchronous"].p99Ms ?? 0) * quickerThan,
    (all) => `p99 ${all["token-bucket"].p99Ms} ms against ${all["all-synchronous"].p99Ms} ms`,
  ],
];

export function compare(
  curves: readonly Pick<FourWaysCurve, "way" | "seconds" | "summary">[],
  plan: Pick<FourWaysPlan, "phases">,
  heldUpMs: number,
): readonly FourWaysCheck[] {
  const summaries = Object.fromEntries(curves.map(({ way, summary }) => [way, summary])) as Record<
    Way,
    FourWaysSummary | null | undefined
  >;
  const least = Math.min(...curves.map((curve) => offeredIn(curve, plan)));
  const isComplete = curves.every(({ summary }) => summary !== null) && curves.length === 4;
  const isFair = isComplete && least >= offeredAtLeast && heldUpMs <= heldUpAtMostMs;
  const figures = `${(least * 100).toFixed(0)} % of it at least, held up by other work for ${heldUpMs.toFixed(0)} ms`;
  const offered: FourWaysCheck = {
    id: "offered",
    title: "Each way was offered the whole spike, on a machine that had time for it",
    verdict: isFair ? "pass" : "unknown",
    evidence: isComplete ? figures : "not all four have run",
  };
  const rest = lines.map(([id, title, holds, of]): FourWaysCheck => {
    if (offered.verdict !== "pass") return { id, title, verdict: "unknown", evidence: offered.evidence };
    const all = summaries as Summaries;
    return { id, title, verdict: holds(all) ? "pass" : "fail", evidence: of(all) };
  });
  return [offered, ...rest];
}

function offeredIn({ seconds }: Pick<FourWaysCurve, "seconds">, plan: Pick<FourWaysPlan, "phases">): number {
  const { from, to } = spikeOf(plan);
  const planned = plan.phases.filter(({ name }) => name === "spike").reduce((sum, phase) => sum + sizeOf(phase), 0);
  const came = seconds.filter(({ second }) => second >= from && second < to);
  return planned === 0 ? 0 : came.reduce((sum, { arrivals }) => sum + arrivals, 0) / planned;
}

const sizeOf = ({ seconds, arrivalsPerSecond }: FourWaysPlan["phases"][number]): number => seconds * arrivalsPerSecond;

/** One that failed fails all; else one that is unknown leaves all unknown. */
export function verdictOf(checks: readonly Pick<FourWaysCheck, "verdict">[]): FourWaysCheck["verdict"] {
  if (checks.some(({ verdict }) => verdict === "fail")) return "fail";
  return checks.length > 0 && checks.every(({ verdict }) => verdict === "pass") ? "pass" : "unknown";
}
