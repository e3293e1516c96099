/**
 * When something goes wrong, and what: drawn from the seed.
 *
 * What can go wrong: troubles that are never drawn, or only after everything is done. `counts` tells what struck.
 */
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

export interface Trouble {
  /** How often it is drawn, relative to the others; 0: never. */
  readonly weight: number;
  strike(): void;
}

export interface TroubleSettings {
  readonly troubles: Readonly<Record<string, Trouble>>;
  /** Mean time between two, virtual ms. */
  readonly everyMs: number;
  readonly activeMs: number;
}

export class Troubles {
  readonly counts = new Map<string, number>();
  readonly #world: World;
  readonly #settings: TroubleSettings;
  readonly #random: Random;

  constructor(world: World, settings: TroubleSettings) {
    this.#world = world;
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

  #strike(): void {
    const drawn = this.#draw();
    if (drawn === undefined) return;
    const [name, trouble] = drawn;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    this.#world.note("trouble", name);
    trouble.strike();
  }

  #draw(): [string, Trouble] | undefined {
    const troubles = Object.entries(this.#settings.troubles);
    const sum = troubles.reduce((total, [, { weight }]) => total + weight, 0);
    let left = this.#random.between(0, sum);
    return troubles.find(([, { weight }]) => {
      left -= weight;
      return left < 0;
    });
  }
}
