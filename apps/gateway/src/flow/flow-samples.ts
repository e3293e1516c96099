/** Once a second: what passed since the last sample, for the live page. */
import { type EdgeId, type FlowSample, groups } from "@plateau/domain";
import type { Queue } from "queue-core";
import type { PendingPurchases } from "../purchases/pending-purchases.ts";
import type { BacklogWatch } from "./backlog-watch.ts";
import { FlowHistory } from "./flow-history.ts";
import type { FlowMeter } from "./flow-meter.ts";
import { type EdgeReading, readWay, type WayReading } from "./way.ts";

const stages: readonly EdgeId[] = ["requests", "commands", "reservations", "payments", "orders", "statistics"];

interface Totals {
  readonly atMs: number;
  readonly arrivals: number;
  readonly admitted: number;
  readonly decided: number;
  readonly refused: ReadonlyMap<string, number>;
  readonly committed: ReadonlyMap<string, number>;
}

export class FlowSampler {
  readonly #parts: { queue: Queue; meter: FlowMeter; backlog: BacklogWatch; pending: PendingPurchases };
  readonly #history = new FlowHistory();
  #before: Totals | undefined;
  #latest: FlowSample | undefined;

  constructor(parts: { queue: Queue; meter: FlowMeter; backlog: BacklogWatch; pending: PendingPurchases }) {
    this.#parts = parts;
  }

  /** The newest sample; undefined in the first second. */
  get latest(): FlowSample | undefined {
    return this.#latest;
  }

  /** The last three minutes, oldest first; empty in the first second. */
  get history(): readonly FlowSample[] {
    return this.#history.samples;
  }

  async sample(reading?: WayReading): Promise<FlowSample> {
    const { queue, meter, backlog, pending } = this.#parts;
    const way = reading ?? (await readWay(queue));
    const passed = stages.flatMap((id) => way.edges.filter(({ edge }) => edge.id === id));
    const nowMs = queue.now();
    const now: Totals = {
      atMs: nowMs,
      arrivals: meter.totals.arrivals,
      admitted: meter.totals.admitted,
      decided: decidedOf(way),
      refused: new Map(meter.totals.refused),
      committed: committedOf(way),
    };
    const before = this.#before ?? now;
    this.#before = now;
    const perSecond = rateOver(now.atMs - before.atMs);
    const sample: FlowSample = {
      atMs: nowMs,
      arrivals: perSecond(now.arrivals - before.arrivals),
      admitted: perSecond(now.admitted - before.admitted),
      decided: perSecond(now.decided - before.decided),
      refused: ratesOf(now.refused, before.refused, perSecond),
      backlog: Math.max(pending.size, backlog.lagMessages),
      answerMs: meter.answers.percentiles(nowMs),
      stages: passed.map(({ edge, lagMessages, committed }) => ({
        group: edge.group,
        topic: edge.topic.name,
        ratePerSecond: perSecond(committed - (before.committed.get(edge.id) ?? 0)),
        lagMessages,
      })),
    };
    this.#latest = sample;
    this.#history.add(sample);
    return sample;
  }
}

/** Purchases decided since the beginning: every one ends in one message of `results`. */
export const decidedOf = ({ edges }: WayReading): number => groupEdge(edges, groups.stats)?.end ?? 0;

export const committedOf = ({ edges }: WayReading): ReadonlyMap<string, number> =>
  new Map(edges.map(({ edge, committed }) => [edge.id, committed]));

/** Those above 0, by key. */
export function ratesOf(
  now: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
  perSecond: (count: number) => number,
): Record<string, number> {
  const rates = [...now].map(([key, count]) => [key, perSecond(count - (before.get(key) ?? 0))] as const);
  return Object.fromEntries(rates.filter(([, rate]) => rate > 0));
}

/** Per second with one decimal; 0 where no time has passed. */
export const rateOver =
  (elapsedMs: number) =>
  (count: number): number =>
    elapsedMs <= 0 ? 0 : Math.round((count * 10_000) / elapsedMs) / 10;

const groupEdge = (edges: readonly EdgeReading[], group: string): EdgeReading | undefined =>
  edges.find(({ edge }) => edge.group === group);
