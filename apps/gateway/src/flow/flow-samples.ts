/** Once a second: what passed since the last sample, for the live page and the control room. */
import {
  type FlowSample,
  groups,
  orders,
  paymentRequests,
  purchaseRequests,
  reservations,
  results,
  stockCommands,
} from "@plateau/domain";
import type { Queue, Topic } from "queue-core";
import type { PendingPurchases } from "../purchases/pending-purchases.ts";
import type { BacklogWatch } from "./backlog-watch.ts";
import { FlowHistory } from "./flow-history.ts";
import type { FlowMeter } from "./flow-meter.ts";

const stages = [
  { group: groups.risk, topic: purchaseRequests as Topic<unknown> },
  { group: groups.stock, topic: stockCommands as Topic<unknown> },
  { group: groups.order, topic: reservations as Topic<unknown> },
  { group: groups.payment, topic: paymentRequests as Topic<unknown> },
  { group: groups.sms, topic: orders as Topic<unknown> },
  { group: groups.stats, topic: results as Topic<unknown> },
] as const;

interface Totals {
  readonly atMs: number;
  readonly arrivals: number;
  readonly admitted: number;
  readonly decided: number;
  readonly refused: ReadonlyMap<string, number>;
  readonly committed: readonly number[];
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

  async sample(): Promise<FlowSample> {
    const { queue, meter, backlog, pending } = this.#parts;
    const statistics = await Promise.all(stages.map(({ group, topic }) => queue.groupStatistics(group, topic)));
    const nowMs = queue.now();
    const now: Totals = {
      atMs: nowMs,
      arrivals: meter.totals.arrivals,
      admitted: meter.totals.admitted,
      decided: (statistics[5] ?? []).reduce((sum, { end }) => sum + end, 0),
      refused: new Map(meter.totals.refused),
      committed: statistics.map((partitions) => partitions.reduce((sum, { committed }) => sum + committed, 0)),
    };
    const before = this.#before ?? now;
    this.#before = now;
    const perSecond = rateOver(now.atMs - before.atMs);
    const sample: FlowSample = {
      atMs: nowMs,
      arrivals: perSecond(now.arrivals - before.arrivals),
      admitted: perSecond(now.admitted - before.admitted),
      decided: perSecond(now.decided - before.decided),
      refused: Object.fromEntries(
        [...now.refused]
          .map(([reason, count]) => [reason, perSecond(count - (before.refused.get(reason) ?? 0))] as const)
          .filter(([, rate]) => rate > 0),
      ),
      backlog: Math.max(pending.size, backlog.lagMessages),
      answerMs: meter.answers.percentiles(nowMs),
      stages: stages.map(({ group, topic }, index) => ({
        group,
        topic: topic.name,
        ratePerSecond: perSecond((now.committed[index] ?? 0) - (before.committed[index] ?? 0)),
        lagMessages: (statistics[index] ?? []).reduce((sum, { lagMessages }) => sum + lagMessages, 0),
      })),
    };
    this.#latest = sample;
    this.#history.add(sample);
    return sample;
  }
}

/** Per second with one decimal; 0 where no time has passed. */
const rateOver =
  (elapsedMs: number) =>
  (count: number): number =>
    elapsedMs <= 0 ? 0 : Math.round((count * 10_000) / elapsedMs) / 10;
