/**
 * The workers of one process: as many as wanted at this moment, each a member of risk and one of stock.
 *
 *   wanted more ──► started            wanted fewer ──► the newest hand their partitions over and stop
 *   killed ──► its partitions stay leased until the leases run out; another takes over; a replacement comes later
 *
 * What can go wrong: one member of a worker fails to start after the other did (the other is stopped again, so that no
 * half worker stays behind); the wish changes while a start is under way (changes are made one after another). A
 * worker that could not be started is tried again at the next look.
 */
import type { FaultStore } from "@plateau/domain";
import type { Logger } from "pino";
import type { GroupMember } from "queue-core";

/** A wish is noticed within this. */
const lookEveryMs = 200;
/** A batch that waits out its decision cost is given up when stopping: it is not lost, only not decided here. */
const graceMs = 1_000;

export interface CrewOptions {
  /** Starts the members of one worker, which is to be known by that name. Rejects with nothing left running. */
  readonly hire: (name: string) => Promise<readonly GroupMember[]>;
  readonly wanted: () => number;
  readonly faults?: FaultStore;
  readonly log: Pick<Logger, "warn">;
  /** Tells this process's workers from others'. */
  readonly name: string;
}

interface Colleague {
  readonly name: string;
  readonly members: readonly GroupMember[];
}

export class Crew {
  readonly #options: CrewOptions;
  #colleagues: Colleague[] = [];
  #hired = 0;
  /** Until then one fewer is wanted for each. */
  #mourned: number[] = [];
  #killedBy = 0;
  #changing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CrewOptions) {
    this.#options = options;
    // An order from before this start is no order to this crew.
    this.#killedBy = options.faults?.last("kill-worker")?.number ?? 0;
  }

  get members(): readonly GroupMember[] {
    return this.#colleagues.flatMap(({ members }) => members);
  }

  /** Rejects, with everything stopped again, where the first ones do not start. */
  async start(): Promise<void> {
    try {
      await this.#matchWish();
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#changing;
    await Promise.all(this.#colleagues.splice(0).map(dismiss));
  }

  #look(): void {
    this.#obeyKillOrder();
    if (this.#wanted() === this.#colleagues.length) return;
    this.#changing = this.#changing
      .then(() => (this.#timer === undefined ? undefined : this.#matchWish()))
      .catch((error: unknown) => this.#options.log.warn({ err: error }, "a worker could not be started or stopped"));
  }

  #obeyKillOrder(): void {
    const order = this.#options.faults?.last("kill-worker");
    if (order === undefined || order.number === this.#killedBy) return;
    this.#killedBy = order.number;
    const victim = this.#colleagues.find(({ name }) => name === order.victim);
    if (victim === undefined) return;
    this.#colleagues = this.#colleagues.filter((one) => one !== victim);
    for (const member of victim.members) member.kill();
    this.#mourned.push(performance.now() + order.order.seconds * 1_000);
    this.#options.faults?.hit("kill-worker");
  }

  #wanted(): number {
    const nowMs = performance.now();
    // An order that was taken back brings the replacement at once.
    const isOver = this.#options.faults?.active("kill-worker") === undefined;
    this.#mourned = isOver ? [] : this.#mourned.filter((untilMs) => nowMs < untilMs);
    return Math.max(0, this.#options.wanted() - this.#mourned.length);
  }

  async #matchWish(): Promise<void> {
    while (this.#colleagues.length < this.#wanted()) {
      const name = `${this.#options.name}-${++this.#hired}`;
      this.#colleagues.push({ name, members: await this.#options.hire(name) });
    }
    const leaving = this.#colleagues.splice(this.#wanted());
    await Promise.all(leaving.map(dismiss));
  }
}

async function dismiss({ members }: Colleague): Promise<void> {
  await Promise.all(members.map((member) => member.stop({ graceMs })));
}
