/**
 * Through which everything reaches a simulated process, so that it can stall or die between two steps.
 *
 *     open ◄──resume (what waited, one event each)── stalled
 *       └───────────────────────┬────────────────────────┘
 *                              end ──► ended: nothing passes ever again
 *
 * What can go wrong: a process that goes on must find what came meanwhile in its order, and before what comes later.
 * What waits is therefore let through one event at a time, and while any waits, newcomers queue behind it.
 */
import type { World } from "./world.ts";

export class Gate {
  readonly name: string;
  /** Resolves, in an event of the world, once the gate has ended. */
  readonly ended: Promise<void>;
  readonly #world: World;
  readonly #waiting: (() => void)[] = [];
  #tellEnded: () => void = () => {};
  #mode: "open" | "stalled" | "resuming" | "ended" = "open";

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
    this.ended = new Promise((resolve) => {
      this.#tellEnded = resolve;
    });
  }

  get isOpen(): boolean {
    return this.#mode === "open";
  }

  get hasEnded(): boolean {
    return this.#mode === "ended";
  }

  /** At once when open; later when stalled; never once ended. */
  pass(run: () => void): void {
    if (this.#mode === "open") run();
    else if (this.#mode !== "ended") this.#waiting.push(run);
  }

  stall(): void {
    if (this.#mode === "open" || this.#mode === "resuming") this.#mode = "stalled";
  }

  resume(): void {
    if (this.#mode !== "stalled") return;
    this.#mode = "resuming";
    this.#letNextThrough();
  }

  end(): void {
    if (this.#mode === "ended") return;
    this.#mode = "ended";
    this.#waiting.length = 0;
    // Who deals with the process from outside learns of its end a little later.
    this.#world.after(1, `${this.name} is gone`, () => this.#tellEnded());
  }

  #letNextThrough(): void {
    if (this.#waiting.length === 0) {
      if (this.#mode === "resuming") this.#mode = "open";
      return;
    }
    this.#world.after(0, `${this.name} goes on`, () => {
      if (this.#mode !== "resuming") return;
      this.#waiting.shift()?.();
      this.#letNextThrough();
    });
  }
}
