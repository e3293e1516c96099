/** The last three minutes of samples, one per second, in order and without doubles. */
import type { FlowSample } from "@plateau/domain/http";

export const windowMs = 180_000;

/** A sample heard twice, or late, changes nothing. */
export function withSample(samples: readonly FlowSample[], sample: FlowSample): readonly FlowSample[] {
  const last = samples.at(-1);
  if (last !== undefined && sample.atMs <= last.atMs) return samples;
  return [...samples.filter(({ atMs }) => atMs > sample.atMs - windowMs), sample];
}

export const refusedPerSecond = ({ refused }: FlowSample): number =>
  Object.values(refused).reduce((sum, rate) => sum + rate, 0);
