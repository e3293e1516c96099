/** One way's seconds in a few numbers. */
import type { FourWaysPlan, FourWaysSecond, FourWaysSummary } from "@plateau/domain";
import type { LoadEnd } from "./load/load-second.ts";
import { spikeOf } from "./plan.ts";

/** How long after the spike sales still count as its. */
const afterSpikeSeconds = 4;

export function summarise(
  seconds: readonly FourWaysSecond[],
  end: LoadEnd,
  plan: Pick<FourWaysPlan, "phases">,
): FourWaysSummary {
  const { from, to } = spikeOf(plan);
  const sum = (of: (second: FourWaysSecond) => number, among = seconds): number =>
    among.reduce((total, second) => total + of(second), 0);
  const peak = (of: (second: FourWaysSecond) => number): number => Math.max(0, ...seconds.map(of));
  const outcomes = [...end.told.values()];
  const count = (wanted: string): number => outcomes.filter((outcome) => outcome === wanted).length;
  const busy = seconds.filter(({ second }) => second >= from && second < to + afterSpikeSeconds);
  const accepted = count("accepted");
  return {
    accepted,
    declined: count("declined"),
    refused: count("refused"),
    failed: count("failed"),
    acceptedPerSecond: sum(({ accepted: inSecond }) => inSecond, busy) / (to - from + afterSpikeSeconds),
    p50Ms: end.spikeP50Ms,
    p99Ms: end.spikeP99Ms,
    peakDatabaseStatements: peak(({ databaseStatements }) => databaseStatements),
    peakDatabaseBusy: peak(({ databaseBusy }) => databaseBusy),
    databaseStatementsPerAccepted: accepted === 0 ? null : sum((second) => second.databaseStatements) / accepted,
    peakBacklog: peak(({ backlog }) => backlog),
  };
}
