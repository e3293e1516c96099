/**
 * Trouble where it can hurt: next to a publish, a decision or a payment, drawn from the seed.
 *
 * What can go wrong: trouble that strikes by the clock mostly meets nothing. So it is drawn at the moments that the
 * truth rules are about; it then strikes at a step of the disk soon after, or some milliseconds later.
 */
import type { Machine, Random, StepAsked, World } from "queue-core/simulation";
import type { SaleSystem } from "./sale-system.ts";
import type { TroubleChances } from "./truth-settings.ts";

export type Moment = "publish" | "decision" | "payment";

export interface TroubleParts {
  readonly world: World;
  readonly machine: Machine;
  readonly chances: TroubleChances;
  readonly system: Pick<SaleSystem, "kill" | "killMembers" | "stall">;
}

const storing = ({ step }: StepAsked): boolean => step === "write" || step === "datasync";

const troubles = [
  "crash at step",
  "crash at step",
  "crash at step",
  "failed sync",
  "failed sync",
  "death",
  "kill",
  "kill members",
  "stall",
  "slow disk",
] as const;

export class TruthTroubles {
  readonly #parts: TroubleParts;
  readonly #random: Random;
  #struck = 0;
  #isOver = false;

  constructor(parts: TroubleParts) {
    this.#parts = parts;
    this.#random = parts.world.random.fork("troubles");
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  heal(): void {
    this.#isOver = true;
    this.#parts.machine.faults.clear();
    this.#parts.machine.slowness = 1;
  }

  /** Perhaps something happens now. */
  near(moment: Moment): void {
    const { chances, world } = this.#parts;
    if (this.#isOver || this.#struck >= chances.most || !this.#random.chance(chances[moment])) return;
    this.#struck++;
    const trouble = this.#random.pick(troubles);
    world.note("trouble", `${trouble} near a ${moment}`);
    this.#strike(trouble);
  }

  #strike(trouble: (typeof troubles)[number]): void {
    const { machine, world, system } = this.#parts;
    const random = this.#random;
    if (trouble === "crash at step")
      machine.faults.plan({ nth: random.integer(1, 4), fault: "crash", matches: storing });
    else if (trouble === "failed sync")
      machine.faults.plan({ nth: random.integer(1, 3), fault: "EIO", matches: storing });
    else if (trouble === "slow disk") {
      machine.slowness = random.between(2, 20);
      world.after(random.between(20, 400), "the disk is fast again", () => {
        machine.slowness = 1;
      });
    } else
      world.after(random.between(0, 12), trouble, () => {
        if (this.#isOver) return;
        if (trouble === "kill") system.kill(random);
        else if (trouble === "kill members") system.killMembers(random);
        else if (trouble === "stall") system.stall(random);
        else machine.die(random.chance(0.5) ? "power loss" : "process crash");
      });
  }
}
