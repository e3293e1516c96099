/**
 * What goes wrong in a run, and when: drawn from the seed, one trouble every second or so of virtual time.
 *
 * What can go wrong: troubles that never meet the code they are for. Crashes and I/O errors are therefore mostly
 * planned by steps of the disk, not by time, so that they strike in the middle of what is written.
 */
import type { DiskStep } from "../disk-session.ts";
import type { Machine } from "../machine.ts";
import type { Random } from "../random.ts";
import type { World } from "../world.ts";
import type { Shop } from "./shop.ts";

/** How often each trouble is drawn, relative to the others. */
export interface TroubleWeights {
  readonly crash: number;
  readonly crashAtStep: number;
  readonly ioError: number;
  readonly fullDisk: number;
  readonly slowDisk: number;
  readonly stall: number;
  readonly killProcess: number;
  readonly members: number;
  readonly redrive: number;
}

export const usualTroubles: TroubleWeights = {
  crash: 2,
  crashAtStep: 5,
  ioError: 2,
  fullDisk: 2,
  slowDisk: 1,
  stall: 3,
  killProcess: 2,
  members: 4,
  redrive: 2,
};

const steps: readonly DiskStep[] = [
  "read",
  "create",
  "write",
  "datasync",
  "truncate",
  "rename",
  "remove",
  "syncDirectory",
];

export interface TroubleSettings {
  readonly weights: TroubleWeights;
  /** Mean time between two, virtual ms. */
  readonly everyMs: number;
  readonly activeMs: number;
  readonly leaseMs: number;
}

export class Troubles {
  readonly #world: World;
  readonly #machine: Machine;
  readonly #shop: Shop;
  readonly #settings: TroubleSettings;
  readonly #random: Random;
  #isOver = false;
  readonly counts = new Map<string, number>();

  constructor(world: World, machine: Machine, shop: Shop, settings: TroubleSettings) {
    this.#world = world;
    this.#machine = machine;
    this.#shop = shop;
    this.#settings = settings;
    this.#random = world.random.fork("troubles");
  }

  start(): void {
    const { everyMs, activeMs } = this.#settings;
    const waitMs = this.#random.between(0.2, 1.8) * everyMs;
    if (this.#world.nowMs + waitMs > activeMs) return;
    this.#world.after(waitMs, "trouble", () => {
      this.#strike();
      this.start();
    });
  }

  /** The disk is well and has room, nobody stalls, nothing more is planned. */
  heal(): void {
    this.#isOver = true;
    this.#machine.faults.clear();
    this.#machine.disk.capacityBytes = Number.POSITIVE_INFINITY;
    this.#machine.slowness = 1;
  }

  #strike(): void {
    const trouble = this.#draw();
    this.counts.set(trouble, (this.counts.get(trouble) ?? 0) + 1);
    this.#world.note("trouble", trouble);
    const random = this.#random;
    const { leaseMs } = this.#settings;
    const acts: Record<keyof TroubleWeights, () => void> = {
      crash: () => this.#crash(),
      crashAtStep: () => this.#crashAtStep(),
      ioError: () => this.#ioError(),
      fullDisk: () => this.#fillDisk(),
      slowDisk: () => this.#slowDisk(),
      stall: () => this.#shop.stall(random.between(0.2, 3) * leaseMs),
      killProcess: () => this.#shop.killProcess(),
      members: () => this.#shop.changeMembers(),
      redrive: () => this.#shop.redrive(),
    };
    acts[trouble]();
  }

  #draw(): keyof TroubleWeights {
    const entries = Object.entries(this.#settings.weights) as [keyof TroubleWeights, number][];
    let left = this.#random.between(
      0,
      entries.reduce((sum, [, weight]) => sum + weight, 0),
    );
    for (const [trouble, weight] of entries) {
      left -= weight;
      if (left < 0) return trouble;
    }
    return "crash";
  }

  #crash(): void {
    this.#turnWallClock();
    this.#machine.die(this.#random.chance(0.5) ? "power loss" : "process crash");
  }

  #crashAtStep(): void {
    this.#turnWallClock();
    const nth = this.#random.chance(0.5) ? this.#random.integer(1, 5) : this.#random.integer(1, 40);
    this.#machine.faults.plan({ nth, fault: "crash" });
  }

  #ioError(): void {
    const step = this.#random.pick(steps);
    this.#machine.faults.plan({
      nth: this.#random.integer(1, 5),
      fault: "EIO",
      matches: (asked) => asked.step === step,
    });
  }

  #fillDisk(): void {
    const { disk } = this.#machine;
    disk.capacityBytes = disk.usedBytes + this.#random.integer(0, 3_000);
    this.#world.after(this.#random.between(50, 2_000), "there is room again", () => {
      disk.capacityBytes = Number.POSITIVE_INFINITY;
    });
  }

  #slowDisk(): void {
    this.#machine.slowness = this.#random.between(2, 40);
    this.#world.after(this.#random.between(50, 1_500), "the disk is fast again", () => {
      if (!this.#isOver) this.#machine.slowness = 1;
    });
  }

  /** Seconds as a rule, sometimes beyond the window in which repeats are recognised. */
  #turnWallClock(): void {
    if (this.#random.chance(0.7)) return;
    this.#machine.wallOffsetMs += this.#random.chance(0.2)
      ? this.#random.between(600_000, 900_000)
      : this.#random.between(-5_000, 5_000);
  }
}
