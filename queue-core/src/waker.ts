/**
 * Lets one loop sleep until something happens or some time has passed.
 *
 * What can go wrong: an event that comes between "nothing to do" and "go to sleep" would be slept through. So a
 * wake that finds nobody waiting is kept, and the next `wait` returns at once.
 */
import type { Timers } from "./timers.ts";

export class Waker {
  readonly #timers: Timers;
  #woken = false;
  #resolve: (() => void) | undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  wake = (): void => {
    const resolve = this.#resolve;
    if (resolve === undefined) {
      this.#woken = true;
      return;
    }
    this.#resolve = undefined;
    resolve();
  };

  /** Resolves at the next wake, or after `timeoutMs` where given. One waiter at a time. */
  wait(timeoutMs?: number): Promise<void> {
    if (this.#woken) {
      this.#woken = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      if (timeoutMs === undefined) {
        this.#resolve = resolve;
        return;
      }
      const cancel = this.#timers.after(timeoutMs, () => {
        this.#resolve = undefined;
        resolve();
      });
      this.#resolve = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Sleeps for `ms`, through any wakes, unless a wake finds `ended` true. */
  async sleep(ms: number, ended: () => boolean): Promise<void> {
    let elapsed = false;
    const cancel = this.#timers.after(ms, () => {
      elapsed = true;
      this.wake();
    });
    while (!elapsed && !ended()) await this.wait();
    cancel();
  }
}
