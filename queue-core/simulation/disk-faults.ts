/**
 * Which fault strikes at which step of the disk: one planned at a time, by number of steps from now.
 *
 * What can go wrong: a fault planned for a kind of step that never comes would wait for ever and strike while the
 * run heals; `clear` takes it back.
 */
import type { DiskFault, DiskStep, StepAsked } from "./disk-session.ts";

export interface PlannedFault {
  /** 1: the next matching step. */
  readonly nth: number;
  readonly fault: Exclude<DiskFault, "none">;
  /** Any step that changes something, where omitted. */
  readonly matches?: (asked: StepAsked) => boolean;
}

export class DiskFaults {
  #planned: (PlannedFault & { left: number }) | undefined;
  #struck: StepAsked[] = [];

  plan(fault: PlannedFault): void {
    this.#planned = { ...fault, left: fault.nth };
  }

  clear(): void {
    this.#planned = undefined;
  }

  /** The steps at which faults struck the process that runs now. */
  get struck(): readonly StepAsked[] {
    return this.#struck;
  }

  forgetStruck(): void {
    this.#struck = [];
  }

  readonly faultOf = (asked: StepAsked): DiskFault => {
    const planned = this.#planned;
    if (planned === undefined || !(planned.matches ?? changes)(asked)) return "none";
    planned.left--;
    if (planned.left > 0) return "none";
    this.#planned = undefined;
    this.#struck.push(asked);
    return planned.fault;
  };
}

function changes({ step }: { readonly step: DiskStep }): boolean {
  return step !== "read";
}
