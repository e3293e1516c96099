/**
 * The control room's second: what passed since the last one, along the whole way.
 *
 * What it costs: what the flow's sample costs, for they share one reading of the way. What only a viewer looks at
 * (stock of running sales, the audit's verdict) is gathered while somebody watches, and not otherwise.
 */
import type { ControlSecond, Edge, SpikeStatus } from "@plateau/domain";
import type { Gateway } from "../gateway.ts";
import { ControlHistory } from "./control-history.ts";
import { committedOf, decidedOf, rateOver, ratesOf } from "./flow-samples.ts";
import type { EdgeReading, WayReading } from "./way.ts";

/** What the other parts of the control room have to tell. */
export interface ControlSources {
  readonly strip: () => Promise<Pick<ControlSecond, "sales" | "audit">>;
  readonly spike: () => SpikeStatus | null;
  readonly faults: () => readonly string[];
  readonly viewers: () => number;
  readonly inFlight: () => ReadonlyMap<string, number>;
}

interface Totals {
  readonly atMs: number;
  readonly arrivals: number;
  readonly admitted: number;
  readonly decided: number;
  readonly won: number;
  readonly replies: number;
  readonly shed: ReadonlyMap<string, number>;
  readonly committed: ReadonlyMap<string, number>;
}

type Measured = Pick<Gateway, "meter" | "pending" | "backlog" | "requester" | "timings" | "queue">;

export class ControlSampler {
  readonly history = new ControlHistory();
  readonly #gateway: Measured;
  readonly #sources: ControlSources;
  #before: Totals | undefined;

  constructor(gateway: Measured, sources: ControlSources) {
    this.#gateway = gateway;
    this.#sources = sources;
  }

  async sample(way: WayReading): Promise<ControlSecond> {
    const { meter, pending, backlog } = this.#gateway;
    const { spike, faults, viewers, strip } = this.#sources;
    const now = totalsOf(this.#gateway, way);
    const before = this.#before ?? now;
    this.#before = now;
    const perSecond = rateOver(now.atMs - before.atMs);
    const second: ControlSecond = {
      atMs: now.atMs,
      arrivals: perSecond(now.arrivals - before.arrivals),
      admitted: perSecond(now.admitted - before.admitted),
      shed: ratesOf(now.shed, before.shed, perSecond),
      decided: perSecond(now.decided - before.decided),
      won: perSecond(now.won - before.won),
      backlog: Math.max(pending.size, backlog.lagMessages),
      latency: {
        enqueue: meter.spans.enqueue.take(),
        wait: meter.spans.wait.take(),
        answer: meter.spans.answer.take(),
      },
      edges: this.#edges(way, (edge) => perSecond(edge.committed - (before.committed.get(edge.edge.id) ?? 0)), {
        repliesPerSecond: perSecond(now.replies - before.replies),
      }),
      ...(await strip()),
      spike: spike(),
      faults: [...faults()],
      viewers: viewers(),
    };
    this.history.add(second);
    return second;
  }

  #edges(
    way: WayReading,
    rateOf: (edge: EdgeReading) => number,
    { repliesPerSecond }: { readonly repliesPerSecond: number },
  ): Edge[] {
    const inFlight = this.#sources.inFlight();
    const edges = way.edges.map(
      (reading): Edge => ({
        id: reading.edge.id,
        from: reading.edge.from,
        to: reading.edge.to,
        topic: reading.edge.topic.name,
        group: reading.edge.group,
        ratePerSecond: rateOf(reading),
        depthMessages: reading.lagMessages,
        oldestAgeMs: reading.oldestAgeMs,
        inFlight: inFlight.get(reading.edge.id) ?? null,
      }),
    );
    const behindCommands = edges.findIndex(({ id }) => id === "commands") + 1;
    return edges.toSpliced(behindCommands, 0, this.#replies(repliesPerSecond));
  }

  #replies(ratePerSecond: number): Edge {
    const { pending, requester, timings, queue } = this.#gateway;
    // Those on their way come in the order in which they began, so the first is the oldest.
    const oldest = pending.overdue(Number.POSITIVE_INFINITY).next().value;
    const beganMs = oldest === undefined ? undefined : oldest.terms.deadlineMs - timings.decideWithinMs;
    return {
      id: "replies",
      from: "stock",
      to: "gateway",
      topic: null,
      group: null,
      ratePerSecond,
      depthMessages: pending.size,
      oldestAgeMs: beganMs === undefined ? null : Math.max(0, queue.now() - beganMs),
      inFlight: requester.statistics().waiting,
    };
  }
}

function totalsOf({ meter, queue }: Measured, way: WayReading): Totals {
  const { arrivals, admitted, shed, outcomes } = meter.totals;
  return {
    atMs: queue.now(),
    arrivals,
    admitted,
    decided: decidedOf(way),
    won: outcomes.get("won") ?? 0,
    replies: [...outcomes.values()].reduce((sum, count) => sum + count, 0),
    shed: new Map(shed),
    committed: committedOf(way),
  };
}
