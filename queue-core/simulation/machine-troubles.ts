/**
 * What can happen to a machine and its disk.
 *
 * What can go wrong: troubles that never meet the code they are for. Crashes and I/O errors are therefore mostly
 * planned by steps of the disk, not by time, so that they strike in the middle of what is written.
 */
import type { DiskStep } from "./disk-session.ts";
import type { Machine } from "./machine.ts";
import type { Random } from "./random.ts";
import type { Trouble } from "./troubles.ts";
import type { World } from "./world.ts";

/** How often each is drawn, relative to the others. */
export interface MachineWeights {
  readonly crash: number;
  readonly crashAtStep: number;
  /** A process dies in the middle of a sync; the next one is not up for long when the power goes. */
  readonly doubleCrash: number;
  readonly ioError: number;
  readonly fullDisk: number;
  readonly slowDisk: number;
}

export const usualWeights: MachineWeights = {
  crash: 2,
  crashAtStep: 5,
  doubleCrash: 1,
  ioError: 2,
  fullDisk: 2,
  slowDisk: 1,
};

export const noWeights: MachineWeights = {
  crash: 0,
  crashAtStep: 0,
  doubleCrash: 0,
  ioError: 0,
  fullDisk: 0,
  slowDisk: 0,
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

export class MachineTroubles {
  readonly #world: World;
  readonly #machine: Machine;
  readonly #random: Random;
  #isOver = false;

  constructor(world: World, machine: Machine) {
    this.#world = world;
    this.#machine = machine;
    this.#random = world.random.fork("machine troubles");
  }

  withWeights(weights: MachineWeights): Readonly<Record<keyof MachineWeights, Trouble>> {
    return {
      crash: { weight: weights.crash, strike: () => this.#crash() },
      crashAtStep: { weight: weights.crashAtStep, strike: () => this.#crashAtStep() },
      doubleCrash: { weight: weights.doubleCrash, strike: () => this.#doubleCrash() },
      ioError: { weight: weights.ioError, strike: () => this.#ioError() },
      fullDisk: { weight: weights.fullDisk, strike: () => this.#fillDisk() },
      slowDisk: { weight: weights.slowDisk, strike: () => this.#slowDisk() },
    };
  }

  /** The disk is well and has room, and nothing more is planned. */
  heal(): void {
    this.#isOver = true;
    this.#machine.faults.clear();
    this.#machine.disk.capacityBytes = Number.POSITIVE_INFINITY;
    this.#machine.room.forget();
    this.#machine.slowness = 1;
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

  #doubleCrash(): void {
    const machine = this.#machine;
    const step = this.#random.pick(["datasync", "datasync", "syncDirectory"] as const);
    machine.nextDeath = "process crash";
    machine.faults.plan({ nth: this.#random.integer(1, 4), fault: "crash", matches: (asked) => asked.step === step });
    const deaths = machine.deaths;
    const untilUp = (): void => {
      if (this.#isOver) return;
      const isAgainUp = machine.deaths > deaths && machine.isUp;
      const waitMs = isAgainUp ? this.#random.between(0, 60) : 10;
      this.#world.after(waitMs, "the second crash", () => {
        if (!isAgainUp) untilUp();
        else if (!this.#isOver) machine.die("power loss");
      });
    };
    untilUp();
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
    const { disk, room } = this.#machine;
    // Whoever filled the disk may have taken what the reserve gave up before.
    room.forget();
    disk.capacityBytes = disk.usedBytes + this.#random.integer(0, this.#random.chance(0.5) ? 600 : 3_000);
    this.#world.after(this.#random.between(50, 2_000), "there is room again", () => {
      disk.capacityBytes = Number.POSITIVE_INFINITY;
      room.forget();
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
