/**
 * One member of a consumer group (消费者组): which partitions of its topic it owns, and for how long.
 *
 * Every member computes the same assignment from the sorted live members: partition i belongs to members[i % n].
 * A partition is only worked on under a lease, and every commit carries that lease as its fence. So the assignment
 * may be wrong for a moment, on any member, without harm.
 *
 *   wanted ──acquire──► owned ──no longer wanted──► releasing (finishes, commits) ──► released
 *                         └──renewal refused or commit FENCED──► lost: dropped at once, acquired again if wanted
 *
 * Contracts:
 * - Partitions are shared evenly over the live members of all processes, and move as members come and go.
 * - No two members work on one partition at a time, unless one of them lost its lease and does not know it yet; what
 *   that one still commits is refused.
 * - A stopped member's partitions are free at once; a dead one's after its lease.
 *
 * What can go wrong:
 * - A member dies: its leases and heartbeat run out after `leaseMs`, and the others take over.
 * - A member stalls and comes back: its commits are fenced, and it drops those partitions.
 * - Two ticks overlap: ticks run one after another; a wish for another one meanwhile is kept.
 * - The engine is out of reach: the tick is reported and tried again; leases run out meanwhile, which is right.
 */
import { untilBeatMs } from "./beat.ts";
import type { Lease } from "./engine.ts";
import { membershipName } from "./namespaces.ts";
import { isEngineEnd, type QueueContext } from "./queue-context.ts";
import { Waker } from "./waker.ts";

/** What works on one owned partition. */
export interface PartitionWork {
  /** Takes nothing new, finishes and commits what runs; aborts it after `graceMs`. Resolves when all is still. */
  stop(graceMs: number): Promise<void>;
  /** Ends at once; commits nothing more. */
  kill(): void;
}

/** Starts work under a lease; `lost` is to be called when a commit was fenced. */
export type StartWork = (lease: Lease, lost: () => void) => PartitionWork;

interface Holding {
  readonly lease: Lease;
  readonly work: PartitionWork;
  /** Set while it is handed back. */
  released?: Promise<void>;
}

export interface MembershipOptions {
  readonly group: string;
  readonly topic: string;
  readonly partitions: number;
  readonly member: string;
  readonly leaseMs: number;
}

const defaultGraceMs = 5_000;

export class Membership {
  readonly #context: QueueContext;
  readonly #options: MembershipOptions;
  readonly #name: string;
  readonly #start: StartWork;
  readonly #holdings = new Map<number, Holding>();
  readonly #waker: Waker;
  readonly #unsubscribe: () => void;
  /** Changed only by `join`, `stop` and `kill`. */
  #mode: "joining" | "joined" | "stopping" | "ended" = "joining";
  /** Another member still holds a partition that falls to this one. */
  #missing = false;
  #running: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(context: QueueContext, options: MembershipOptions, start: StartWork) {
    this.#context = context;
    this.#options = options;
    this.#name = membershipName(options.group, options.topic);
    this.#start = start;
    this.#waker = new Waker(context.timers);
    this.#unsubscribe = context.groupChanges.on(this.#name, this.#waker.wake);
  }

  get partitions(): readonly number[] {
    return [...this.#holdings.keys()].sort((a, b) => a - b);
  }

  /** Resolves when the group knows this member and the free partitions that fall to it are owned. */
  async join(): Promise<void> {
    try {
      this.#missing = await this.#tick();
    } catch (error) {
      this.kill();
      throw error;
    }
    if (this.#mode !== "joining") return;
    this.#mode = "joined";
    this.#running = this.#run();
    this.#context.groupChanges.raise(this.#name);
  }

  stop(graceMs = defaultGraceMs): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  kill(): void {
    if (this.#mode === "ended") return;
    this.#mode = "ended";
    this.#unsubscribe();
    for (const holding of this.#holdings.values()) holding.work.kill();
    this.#holdings.clear();
    this.#waker.wake();
  }

  async #stop(graceMs: number): Promise<void> {
    if (this.#mode === "ended") return;
    this.#mode = "stopping";
    this.#waker.wake();
    const endGrace = this.#shortenHandOvers(graceMs);
    const released = [...this.#holdings.values()].map((holding) => this.#release(holding, graceMs));
    // Leases must outlive the grace that handlers are given.
    const endRenewal = this.#keepLeases();
    await this.#running;
    await this.#quietly(() => this.#context.engine.heartbeat(this.#name, this.#options.member, 0));
    this.#context.groupChanges.raise(this.#name);
    await Promise.all(released);
    endGrace();
    endRenewal();
    this.kill();
  }

  /** What is being handed over already was given another grace: it ends with this one. */
  #shortenHandOvers(graceMs: number): () => void {
    const handedOver = [...this.#holdings.values()].filter(({ released }) => released !== undefined);
    if (handedOver.length === 0) return () => undefined;
    return this.#context.timers.after(graceMs, () => {
      for (const { work } of handedOver) work.kill();
    });
  }

  /** Renews every lease until told to end. */
  #keepLeases(): () => void {
    const { engine, timers } = this.#context;
    const { leaseMs } = this.#options;
    let cancel: () => void;
    const again = (): void => {
      cancel = timers.after(leaseMs / 3, () => {
        for (const { lease } of this.#holdings.values()) void this.#quietly(() => engine.renewLease(lease, leaseMs));
        again();
      });
    };
    again();
    return () => cancel();
  }

  async #run(): Promise<void> {
    const { leaseMs } = this.#options;
    while (this.#mode === "joined") {
      // A partition that another member still holds is asked for more often than leases are renewed.
      const beatMs = untilBeatMs(this.#context.engine.now(), leaseMs / 3);
      await this.#waker.wait(this.#missing ? Math.max(5, leaseMs / 30) : beatMs);
      if (this.#mode !== "joined") return;
      try {
        this.#missing = await this.#tick();
      } catch (error) {
        if (isEngineEnd(error)) {
          this.kill();
          return;
        }
        this.#context.report(`membership of ${this.#options.member} in ${this.#name}`, error);
      }
    }
  }

  /** True when a wanted partition is still held by somebody else. */
  async #tick(): Promise<boolean> {
    const { engine } = this.#context;
    const { member, leaseMs, partitions } = this.#options;
    // At once, in this order: an engine behind a wire answers them together.
    const beating = engine.heartbeat(this.#name, member, leaseMs);
    const [members] = await Promise.all([engine.members(this.#name), beating]);
    const mine = members.indexOf(member);
    const isWanted = (partition: number): boolean => mine >= 0 && partition % members.length === mine;
    await Promise.all([...this.#holdings.values()].map((holding) => this.#renew(holding)));
    for (const [partition, holding] of this.#holdings) {
      if (!isWanted(partition)) this.#release(holding, defaultGraceMs).catch(() => undefined);
    }
    const wanted: number[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      if (isWanted(partition) && !this.#holdings.has(partition)) wanted.push(partition);
    }
    const acquired = await Promise.all(wanted.map((partition) => this.#acquire(partition)));
    return acquired.includes(false) || [...this.#holdings.values()].some((holding) => holding.released !== undefined);
  }

  async #acquire(partition: number): Promise<boolean> {
    const { group, topic, member, leaseMs } = this.#options;
    const lease = await this.#context.engine.acquireLease({ group, topic, partition, member, ttlMs: leaseMs });
    if (lease === undefined) return false;
    if (this.#mode === "stopping" || this.#mode === "ended") {
      // A killed member leaves even this lease to run out.
      if (this.#mode === "stopping") await this.#context.engine.releaseLease(lease);
      return true;
    }
    const work = this.#start(lease, () => this.#lose(partition, work));
    this.#holdings.set(partition, { lease, work });
    return true;
  }

  async #renew(holding: Holding): Promise<void> {
    const kept = await this.#context.engine.renewLease(holding.lease, this.#options.leaseMs);
    if (!kept) this.#lose(holding.lease.partition, holding.work);
  }

  #lose(partition: number, work: PartitionWork): void {
    work.kill();
    if (this.#holdings.get(partition)?.work !== work) return;
    this.#holdings.delete(partition);
    this.#waker.wake();
  }

  #release(holding: Holding, graceMs: number): Promise<void> {
    holding.released ??= this.#releaseNow(holding, graceMs);
    return holding.released;
  }

  async #releaseNow(holding: Holding, graceMs: number): Promise<void> {
    await this.#quietly(() => holding.work.stop(graceMs));
    if (this.#holdings.get(holding.lease.partition) !== holding) return;
    this.#holdings.delete(holding.lease.partition);
    await this.#quietly(() => this.#context.engine.releaseLease(holding.lease));
    this.#context.groupChanges.raise(this.#name);
  }

  async #quietly(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!isEngineEnd(error)) this.#context.report(`membership of ${this.#options.member} in ${this.#name}`, error);
    }
  }
}
