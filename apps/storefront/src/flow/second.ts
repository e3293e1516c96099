/**
 * One second of the way of a purchase, as the charts read it, and how seconds are kept in order.
 *
 * What can go wrong: refusals of the stages are counted beside those at the door, and only the latter belong between
 * "let in" and "came". A history and what the stream told overlap, each knows seconds that the other lacks, and with
 * several gateways they are not of the same instants: so the history stands for its whole span, and what was heard
 * adds only what lies before and after it.
 */
import type { Latency } from "@plateau/domain/control-room";
import type { FlowSample } from "@plateau/domain/http";

/** Why somebody is turned away at the door, in the order in which the chart stacks them. */
export const shedReasons = ["sold-out", "throttled", "overloaded", "other"] as const;
export type ShedReason = (typeof shedReasons)[number];
export type Shed = Readonly<Record<ShedReason, number>>;

/** Rates are per second. */
export interface Second {
  readonly atMs: number;
  readonly arrivals: number;
  readonly admitted: number;
  /** Turned away at the door. */
  readonly shed: Shed;
  readonly decided: number;
  readonly backlog: number;
  readonly latency: {
    readonly enqueue?: Latency;
    readonly wait?: Latency;
    readonly answer: Latency;
  };
}

export const shownMs = 180_000;
export const keptMs = 3_600_000;

export function shedFrom(rates: Readonly<Record<string, number>>): Shed {
  const shed = { "sold-out": 0, throttled: 0, overloaded: 0, other: 0 };
  for (const [reason, rate] of Object.entries(rates)) {
    shed[shedReasons.find((name) => name === reason) ?? "other"] += rate;
  }
  return shed;
}

export const shedInAll = ({ shed }: Pick<Second, "shed">): number =>
  shedReasons.reduce((sum, reason) => sum + shed[reason], 0);

/** The bands of those turned away that there are, as they stand on those let in. */
export function shedBands({ admitted, shed }: Second): { reason: ShedReason; rate: number; middle: number }[] {
  let below = admitted;
  return shedReasons.flatMap((reason) => {
    const rate = shed[reason];
    below += rate;
    return rate < 0.5 ? [] : [{ reason, rate, middle: below - rate / 2 }];
  });
}

/** Said by the risk and stock stages about requests that were let in. */
const saidByStages = new Set([
  "sold_out",
  "expired",
  "velocity",
  "blocked",
  "shared-device",
  "risk-score",
  "limit-reached",
  "poison",
]);

export function secondOf({ atMs, arrivals, admitted, refused, decided, backlog, answerMs }: FlowSample): Second {
  const atDoor = Object.entries(refused).filter(([reason]) => !saidByStages.has(reason));
  const shed = shedFrom(Object.fromEntries(atDoor));
  return { atMs, arrivals, admitted, shed, decided, backlog, latency: { answer: answerMs } };
}

/** A second heard twice, or late, changes nothing. */
export function withSecond(seconds: readonly Second[], second: Second): readonly Second[] {
  const last = seconds.at(-1);
  if (last !== undefined && second.atMs <= last.atMs) return seconds;
  const stale = seconds.findIndex(({ atMs }) => atMs > second.atMs - keptMs);
  return [...(stale < 0 ? [] : seconds.slice(stale)), second];
}

/** `heard` and `history`, both oldest first, as one. */
export function withHistory(heard: readonly Second[], history: readonly Second[]): readonly Second[] {
  const from = history[0]?.atMs;
  const to = history.at(-1)?.atMs;
  if (from === undefined || to === undefined) return heard;
  const joined = [...heard.filter(({ atMs }) => atMs < from), ...history, ...heard.filter(({ atMs }) => atMs > to)];
  const last = joined.at(-1)?.atMs ?? to;
  return joined.filter(({ atMs }) => atMs > last - keptMs);
}
