/**
 * All faults that can be ordered, and what became of them.
 *
 * Promises: each ends by itself; what began and ended is a mark, whoever ordered it, at whichever gateway.
 */

import { randomBytes, randomInt } from "node:crypto";
import {
  type Fault,
  type FaultId,
  type FaultOrder,
  type FaultState,
  type FaultStore,
  faultIds,
  groups,
  type poisonable,
  purchaseRequests,
} from "@plateau/domain";
import type { Queue, Topic } from "queue-core";
import { ProblemError } from "../edge/problem.ts";
import type { Marks } from "../flow/marks.ts";
import { type Provider, type ProviderOrders, providers } from "./provider-orders.ts";

const withoutSandbox = "No sandbox is attached: the outside world is not ours to disturb";

interface Parts {
  readonly queue: Queue;
  readonly faults: FaultStore;
  readonly providerOrders: ProviderOrders;
  readonly marks: Marks;
}

export class FaultCatalogue {
  readonly #parts: Parts;
  /** Those whose beginning is marked, and whose end is not. */
  readonly #marked = new Map<FaultId, Fault>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get activeIds(): readonly FaultId[] {
    return faultIds.filter((id) => this.#parts.faults.active(id) !== undefined);
  }

  states(): Promise<FaultState[]> {
    return Promise.all(faultIds.map((id) => this.state(id)));
  }

  async state(id: FaultId): Promise<FaultState> {
    const { faults, providerOrders } = this.#parts;
    const last = faults.last(id);
    return {
      id,
      active: faults.active(id) !== undefined,
      startedAtMs: last?.startedAtMs ?? null,
      untilMs: last?.untilMs ?? null,
      hits: last === undefined || isProvider(id) ? null : await faults.hits(id),
      order: last === undefined ? null : detailOf(last),
      unavailable: isProvider(id) && !providerOrders.isAttached ? withoutSandbox : null,
    };
  }

  /** Throws not-found, unavailable or invalid-request where it cannot be ordered now. */
  async begin<Id extends FaultId>(id: Id, order: FaultOrder<Id>, by: string): Promise<FaultState> {
    const { faults, providerOrders } = this.#parts;
    if (isProvider(id) && !providerOrders.isAttached) throw new ProblemError("not-found", withoutSandbox);
    const victim = id === "kill-worker" ? await this.#victim() : undefined;
    const begun = await faults.begin(id, order, by, victim);
    if (id === "poison") await this.#poison(begun as Fault<"poison">);
    if (isProvider(id)) {
      await providerOrders.tell(id).catch(async (error: unknown) => {
        await faults.end(id);
        throw error;
      });
    }
    this.observe();
    return this.state(id);
  }

  async end(id: FaultId): Promise<FaultState> {
    await this.#parts.faults.end(id);
    if (isProvider(id) && this.#parts.providerOrders.isAttached) await this.#parts.providerOrders.tell(id);
    this.observe();
    return this.state(id);
  }

  /** Marks what began and what ended since it was last called. */
  observe(): void {
    const { faults, marks, queue } = this.#parts;
    for (const id of faultIds) {
      const last = faults.last(id);
      const marked = this.#marked.get(id);
      const isOver = marked !== undefined && (marked.number !== last?.number || last.untilMs <= queue.now());
      if (isOver) {
        const untilMs = marked.number === last?.number ? last.untilMs : queue.now();
        marks.add({ kind: "fault-ended", what: id, detail: {}, by: "system" }, untilMs);
        this.#marked.delete(id);
      }
      if (faults.active(id) === undefined || last === undefined || this.#marked.has(id)) continue;
      marks.add({ kind: "fault-began", what: id, detail: detailOf(last), by: last.by }, last.startedAtMs);
      this.#marked.set(id, last);
    }
  }

  /** One that has something to lose: a member that holds a partition of risk. */
  async #victim(): Promise<string> {
    const { queue } = this.#parts;
    const partitions = await queue.groupStatistics(groups.risk, purchaseRequests as Topic<never> as Topic<unknown>);
    const owners = [...new Set(partitions.flatMap(({ owner }) => owner ?? []))];
    const victim = owners[randomInt(Math.max(1, owners.length))];
    if (victim === undefined) throw new ProblemError("invalid-request", "No worker is there that could be killed");
    return victim;
  }

  async #poison({ order: { topic }, by }: Fault<"poison">): Promise<void> {
    const { queue, faults, marks } = this.#parts;
    await putPoison(queue, topic);
    faults.hit("poison");
    marks.add({ kind: "fault-began", what: "poison", detail: { topic }, by });
  }
}

/** A message that nobody can read. */
export async function putPoison(
  { engine }: Queue,
  topic: (typeof poisonable)[number],
): Promise<{ readonly partition: number; readonly offset: number }> {
  const partition = randomInt(engine.topic(topic)?.partitions ?? 1);
  const key = `poison-${randomBytes(4).toString("hex")}`;
  const { offsets } = await engine.commit({ append: [{ topic, partition, key, value: Buffer.from("\u0000{") }] });
  return { partition, offset: offsets[0] as number };
}

const isProvider = (id: FaultId): id is Provider => providers.some((provider) => provider === id);

function detailOf({ order, victim }: Fault): Record<string, string | number> {
  const given = Object.entries(order).filter(([, value]) => value !== undefined) as [string, string | number][];
  return { ...Object.fromEntries(given), ...(victim === undefined ? {} : { worker: victim }) };
}
