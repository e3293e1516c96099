/**
 * The processes of the shop on the machine: who runs, who joins which group, who is taken away.
 *
 * What can go wrong: a group that nobody serves would look like one that is stuck. Each incarnation's first process
 * joins every group, and so does the one that `heal` starts.
 */
import { QueueError } from "../../src/errors.ts";
import type { Topic } from "../../src/topic.ts";
import type { Incarnation } from "../machine.ts";
import type { Random } from "../random.ts";
import type { Trouble } from "../troubles.ts";
import { consumers, groups, ShopProcess, type ShopSurroundings } from "./shop-process.ts";
import { commands, requests } from "./topics.ts";

const redrivable = [
  ...consumers.map(({ group, topic }) => ({ group, topic: topic as unknown as Topic<unknown> })),
  { group: "risk", topic: requests as unknown as Topic<unknown> },
  { group: "stock", topic: commands as unknown as Topic<unknown> },
];

/** How often each trouble is drawn, relative to those of the machine. */
export interface ShopWeights {
  readonly stall: number;
  readonly killProcess: number;
  readonly members: number;
  readonly redrive: number;
}

export const usualShopWeights: ShopWeights = { stall: 3, killProcess: 2, members: 4, redrive: 2 };

export class Shop {
  readonly #around: ShopSurroundings;
  readonly #random: Random;
  #incarnation: Incarnation | undefined;
  #processes: ShopProcess[] = [];
  #opened = 0;
  /** Members that joined while others of their group were there. */
  #moves = 0;

  constructor(around: ShopSurroundings) {
    this.#around = around;
    this.#random = around.world.random.fork("shop");
  }

  get processes(): readonly ShopProcess[] {
    this.#processes = this.#processes.filter(({ isAlive }) => isAlive);
    return this.#processes;
  }

  get moves(): number {
    return this.#moves;
  }

  up(incarnation: Incarnation): void {
    this.#incarnation = incarnation;
    const { settings, isTroubled } = this.#around;
    const count = isTroubled() ? settings.processes : 1;
    for (let index = 0; index < count; index++) this.#open(index === 0 ? "all groups" : "some groups");
  }

  /** Nobody stalls any more, and each group has a member. */
  heal(): void {
    for (const { process } of this.processes) process.gate.resume();
    if (this.#incarnation !== undefined && this.processes.length > 0) this.#open("all groups");
  }

  troubles(weights: ShopWeights): Readonly<Record<keyof ShopWeights, Trouble>> {
    return {
      stall: { weight: weights.stall, strike: () => this.#stall() },
      killProcess: { weight: weights.killProcess, strike: () => this.#killProcess() },
      members: { weight: weights.members, strike: () => this.#changeMembers() },
      redrive: { weight: weights.redrive, strike: () => this.#redrive() },
    };
  }

  #stall(): void {
    const ms = this.#random.between(0.2, 3) * this.#around.settings.leaseMs;
    const gate = this.#pick()?.process.gate;
    if (gate === undefined) return;
    gate.stall();
    this.#around.world.after(ms, `${gate.name} wakes up`, () => gate.resume());
  }

  #killProcess(): void {
    const killed = this.#pick();
    killed?.process.gate.end();
    if (killed !== undefined) this.#open("all groups");
  }

  /** One joins, one stops in order, or one is killed. */
  #changeMembers(): void {
    const process = this.#pick();
    if (process === undefined) return;
    const member = process.members.length === 0 ? undefined : this.#random.pick(process.members);
    const group = this.#random.pick(groups);
    const kind = this.#random.below(3);
    this.#moves++;
    this.#around.world.note("members", `${["join", "stop", "kill"][kind]} ${kind === 0 ? group : member?.member}`);
    if (kind === 1) this.#attempt(() => member?.stop({ graceMs: this.#random.integer(1, 500) }));
    else if (kind === 2) member?.kill();
    this.#attempt(() => process.join(kind === 0 ? group : ((member?.group as typeof group | undefined) ?? group)));
  }

  #redrive(): void {
    const process = this.#pick();
    if (process === undefined) return;
    const { group, topic } = this.#random.pick(redrivable);
    this.#attempt(() => process.queue.redrive(group, topic));
  }

  /** Stops every process in order; resolves with those that left a timer behind. */
  async stop(): Promise<readonly string[]> {
    const stopped = this.processes;
    await Promise.all(stopped.map(({ queue }) => queue.stop()));
    return stopped.filter(({ process }) => process.timers.pending > 0).map(({ process }) => process.name);
  }

  #open(joins: "all groups" | "some groups"): void {
    const process = (this.#incarnation as Incarnation).process(`shop${this.#opened++}`);
    this.#attempt(async () => {
      const opened = await ShopProcess.open(this.#around, process);
      this.#processes.push(opened);
      const joined = groups.filter(() => joins === "all groups" || this.#random.chance(0.5));
      await Promise.all(joined.map((group) => opened.join(group)));
    });
  }

  #pick(): ShopProcess | undefined {
    const alive = this.processes;
    return alive.length === 0 ? undefined : this.#random.pick(alive);
  }

  /** What a fault of the disk refuses is tried again, as whoever runs such a process would. */
  #attempt(act: () => Promise<unknown> | undefined): void {
    const { world } = this.#around;
    act()?.catch((error: unknown) => {
      world.note("refused", String(error));
      if (error instanceof QueueError && error.code === "CLOSED") return;
      const isFault = error instanceof QueueError ? error.code.startsWith("STORAGE") : "code" in Object(error);
      if (!isFault)
        world.fail("processes start and members join", error instanceof Error ? String(error.stack) : String(error));
      else world.after(100, "tried again", () => this.#attempt(act));
    });
  }
}
