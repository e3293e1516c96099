/**
 * Faults that the control room orders, as every process of the system sees them.
 *
 * Contracts: a fault acts from the moment its order is stored until its seconds are over, in every process, whoever
 * ordered it and whatever dies meanwhile: its end is part of the order. `active` asks nobody. One order of a kind at a
 * time: a new one replaces it.
 *
 * What can go wrong: an order written by another version does not fit here; it is passed over. Who strikes counts it
 * (`hit`) in its own process; counts are stored each second while there are any, so that all can be summed.
 */
import { type Engine, openSharedValue, type SharedValue } from "queue-core";
import { z } from "zod";
import { type FaultId, FaultOrders, faultIds } from "./control-orders.ts";
import { randomToken } from "./ids.ts";

export type FaultOrder<Id extends FaultId> = z.output<(typeof FaultOrders)[Id]>;

export interface Fault<Id extends FaultId = FaultId> {
  readonly id: Id;
  /** Counts the orders of this kind. */
  readonly number: number;
  readonly startedAtMs: number;
  readonly untilMs: number;
  readonly by: string;
  readonly order: FaultOrder<Id>;
  /** The member that it is meant for, where it is meant for one. */
  readonly victim?: string;
}

export interface FaultStore {
  /** The one that acts now. */
  active<Id extends FaultId>(id: Id): Fault<Id> | undefined;
  /** The one that acts now, or the last one. */
  last<Id extends FaultId>(id: Id): Fault<Id> | undefined;
  /** Resolves once it is stored. */
  begin<Id extends FaultId>(id: Id, order: FaultOrder<Id>, by: string, victim?: string): Promise<Fault<Id>>;
  /** Ends the one that acts now before its time; nothing where none does. */
  end(id: FaultId): Promise<void>;
  /** It struck once, or so often. */
  hit(id: FaultId, times?: number): void;
  /** How often the last one struck, in all processes. */
  hits(id: FaultId): Promise<number>;
  /** Stores the last counts. */
  stop(): Promise<void>;
}

const StoredFault = z.object({
  number: z.int(),
  startedAtMs: z.number(),
  untilMs: z.number(),
  by: z.string(),
  order: z.unknown(),
  victim: z.string().optional(),
});
type Stored = z.infer<typeof StoredFault>;
type AllFaults = Readonly<Partial<Record<FaultId, Fault>>>;

const hitsNamespace = "fault-hits";
const hitsKeptMs = 3_600_000;
const storeHitsEveryMs = 500;
const processesMax = 1_000;

export interface DelayByFaults {
  /** How much later a query to the database goes out now, ms. */
  readonly delayMs: () => number;
  /** Until then nothing is delayed: a database may be opened before the engine that keeps the orders. */
  follow(faults: FaultStore): void;
}

/** What a database client is to be opened with, so that it can be made slow. */
export function delayByFaults(): DelayByFaults {
  let followed: FaultStore | undefined;
  return {
    follow(faults) {
      followed = faults;
    },
    delayMs() {
      const slow = followed?.active("slow-database");
      if (slow === undefined) return 0;
      followed?.hit("slow-database");
      return slow.order.delayMs;
    },
  };
}

export async function openFaults(options: {
  readonly engine: Engine;
  readonly onBackgroundError?: (where: string, error: unknown) => void;
}): Promise<FaultStore> {
  const shared = await openSharedValue<AllFaults>({ ...options, name: "faults", initial: {}, decode: fittingOf });
  return new SharedFaults(options.engine, shared, options.onBackgroundError);
}

/** Of what was stored, whatever this program knows and finds fitting. */
function fittingOf(stored: unknown): AllFaults {
  const all = z.record(z.string(), z.unknown()).parse(stored);
  const fitting = faultIds.flatMap((id) => {
    const fault = StoredFault.safeParse(all[id]);
    const order = FaultOrders[id].safeParse(fault.data?.order);
    return fault.success && order.success ? [[id, faultOf(id, fault.data, order.data)] as const] : [];
  });
  return Object.fromEntries(fitting);
}

function faultOf<Id extends FaultId>(id: Id, { victim, ...stored }: Stored, order: FaultOrder<FaultId>): Fault {
  return { ...stored, id, order, ...(victim === undefined ? {} : { victim }) };
}

class SharedFaults implements FaultStore {
  readonly #engine: Engine;
  readonly #shared: SharedValue<AllFaults>;
  readonly #report: (where: string, error: unknown) => void;
  /** Tells this process's counts from others'. */
  readonly #process = randomToken();
  readonly #counts = new Map<string, { count: number; readonly untilMs: number }>();
  readonly #unstored = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #storing: Promise<void> = Promise.resolve();

  constructor(
    engine: Engine,
    shared: SharedValue<AllFaults>,
    report: (where: string, error: unknown) => void = () => undefined,
  ) {
    this.#engine = engine;
    this.#shared = shared;
    this.#report = report;
  }

  active<Id extends FaultId>(id: Id): Fault<Id> | undefined {
    const fault = this.last(id);
    return fault !== undefined && this.#engine.now() < fault.untilMs ? fault : undefined;
  }

  last<Id extends FaultId>(id: Id): Fault<Id> | undefined {
    return this.#shared.get()[id] as Fault<Id> | undefined;
  }

  async begin<Id extends FaultId>(id: Id, order: FaultOrder<Id>, by: string, victim?: string): Promise<Fault<Id>> {
    const startedAtMs = this.#engine.now();
    const untilMs = startedAtMs + ("seconds" in order ? order.seconds * 1_000 : 0);
    const all = await this.#shared.change((before) => {
      const number = (before[id]?.number ?? 0) + 1;
      const fault = { id, number, startedAtMs, untilMs, by, order, ...(victim === undefined ? {} : { victim }) };
      return { ...before, [id]: fault };
    });
    return all[id] as Fault<Id>;
  }

  async end(id: FaultId): Promise<void> {
    if (this.active(id) === undefined) return;
    await this.#shared.change((before) => {
      const fault = before[id];
      return fault === undefined ? before : { ...before, [id]: { ...fault, untilMs: this.#engine.now() } };
    });
  }

  hit(id: FaultId, times = 1): void {
    const fault = this.last(id);
    if (fault === undefined) return;
    const key = `${id}/${fault.number}/${this.#process}`;
    const counted = this.#counts.get(key);
    this.#counts.set(key, { count: (counted?.count ?? 0) + times, untilMs: fault.untilMs });
    this.#unstored.add(key);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#storing = this.#storing.then(() => this.#store());
    }, storeHitsEveryMs).unref();
  }

  async hits(id: FaultId): Promise<number> {
    const fault = this.last(id);
    if (fault === undefined) return 0;
    const prefix = `${id}/${fault.number}/`;
    const entries = await this.#engine.scanState(hitsNamespace, {
      after: prefix,
      before: `${prefix}\u{7f}`,
      limit: processesMax,
    });
    return entries.reduce((sum, { value }) => sum + Number(value.toString("utf8")), 0);
  }

  async stop(): Promise<void> {
    this.#shared.stop();
    clearTimeout(this.#timer);
    await this.#storing;
    await this.#store();
  }

  async #store(): Promise<void> {
    const put = [...this.#unstored].map((key) => {
      const { count, untilMs } = this.#counts.get(key) ?? { count: 0, untilMs: 0 };
      const value = Buffer.from(String(count));
      return { namespace: hitsNamespace, key, value, expiresAtMs: untilMs + hitsKeptMs };
    });
    this.#unstored.clear();
    this.#forgetOld();
    if (put.length === 0) return;
    await this.#engine.commit({ put }).catch((error: unknown) => this.#report("counts of faults", error));
  }

  #forgetOld(): void {
    const nowMs = this.#engine.now();
    for (const [key, { untilMs }] of this.#counts) if (untilMs + hitsKeptMs < nowMs) this.#counts.delete(key);
  }
}
