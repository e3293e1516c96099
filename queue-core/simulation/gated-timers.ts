/**
 * The timers of one simulated process: the world's time, behind the process's gate.
 *
 * What can go wrong: a timer left behind after a graceful stop keeps a real process alive; `pending` shows it.
 */
import type { Timers } from "../src/timers.ts";
import type { Gate } from "./gate.ts";
import type { World } from "./world.ts";

export class GatedTimers implements Timers {
  readonly #world: World;
  readonly #gate: Gate;
  #pending = 0;

  constructor(world: World, gate: Gate) {
    this.#world = world;
    this.#gate = gate;
  }

  /** How many have neither fired nor been cancelled. */
  get pending(): number {
    return this.#pending;
  }

  after(ms: number, run: () => void): () => void {
    let isPending = true;
    this.#pending++;
    const settle = (): boolean => {
      if (!isPending) return false;
      isPending = false;
      this.#pending--;
      return true;
    };
    const cancel = this.#world.after(ms, `timer of ${this.#gate.name}`, () => {
      this.#gate.pass(() => {
        if (settle()) run();
      });
    });
    return () => {
      if (settle()) cancel();
    };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }
}
