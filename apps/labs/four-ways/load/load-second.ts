/** What the load tells: each second once it is over, and in the end what each shopper was told. */
import type { FourWaysSecond } from "@plateau/domain";
import type { Outcome } from "./shopper.ts";

/** The part of a second that shoppers see. */
export type LoadSecond = Pick<
  FourWaysSecond,
  "second" | "arrivals" | "accepted" | "declined" | "refused" | "failed" | "p50Ms" | "p99Ms"
>;

export interface LoadEnd {
  /** By user; who is missing has heard nothing. */
  readonly told: ReadonlyMap<string, Outcome>;
  /** Of those who came in the spike, ms. */
  readonly spikeP50Ms: number | null;
  readonly spikeP99Ms: number | null;
}

export type LoadMessage =
  | { readonly type: "second"; readonly second: LoadSecond }
  | { readonly type: "end"; readonly end: LoadEnd };

/** What the thread is started with. `startsAtMs`: since the epoch. */
export interface LoadOrder {
  readonly url: string;
  readonly saleId: string;
  readonly startsAtMs: number;
  readonly seed: number;
  readonly phases: readonly { readonly name: string; readonly seconds: number; readonly arrivalsPerSecond: number }[];
}

/** Undefined positions do not exist: `share` of the sorted values lie at or below the result. Null without any. */
export function percentile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}
