/**
 * The last three minutes of samples, one per second, in order and without doubles.
 *
 * What can go wrong: the gateway's history and the samples heard from the stream overlap, each knows seconds that the
 * other lacks, and with several gateways they are not of the same instants. So the history stands for its whole span,
 * and what was heard adds only what lies before and after it.
 */
import type { FlowSample } from "@plateau/domain/http";

export const windowMs = 180_000;

/** A sample heard twice, or late, changes nothing. */
export function withSample(samples: readonly FlowSample[], sample: FlowSample): readonly FlowSample[] {
  const last = samples.at(-1);
  if (last !== undefined && sample.atMs <= last.atMs) return samples;
  return [...samples.filter(({ atMs }) => atMs > sample.atMs - windowMs), sample];
}

/** `heard` and `history`, both oldest first, as one. */
export function withHistory(heard: readonly FlowSample[], history: readonly FlowSample[]): readonly FlowSample[] {
  const from = history[0]?.atMs;
  const to = history.at(-1)?.atMs;
  if (from === undefined || to === undefined) return heard;
  const before = heard.filter(({ atMs }) => atMs < from);
  const after = heard.filter(({ atMs }) => atMs > to);
  return [...before, ...history, ...after].reduce(withSample, []);
}

export const refusedPerSecond = ({ refused }: FlowSample): number =>
  Object.values(refused).reduce((sum, rate) => sum + rate, 0);
