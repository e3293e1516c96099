/** For tests: a queue's clock and timers that stand still until the test moves them. */
import { type ManualClock, manualClock, type Timers } from "queue-core";

const longestMs = 3_600_000;

export class ManualTime {
  readonly clock: ManualClock = manualClock();
  readonly #planned = new Set<{ readonly dueMs: number; readonly run: () => void }>();
  readonly timers: Timers = {
    after: (ms, run) => {
      const timer = { dueMs: this.clock.monotonicMs() + Math.max(0, ms), run };
      this.#planned.add(timer);
      return () => this.#planned.delete(timer);
    },
  };

  /** Moves time on and fires what is due; what follows from it runs when the event loop turns. */
  advance(ms: number): void {
    this.clock.advance(ms);
    const nowMs = this.clock.monotonicMs();
    const due = [...this.#planned].filter((timer) => timer.dueMs <= nowMs).sort((a, b) => a.dueMs - b.dueMs);
    for (const timer of due) if (this.#planned.delete(timer)) timer.run();
  }

  /** Lets the event loop turn until it comes true, while time stands. */
  async untilStands(condition: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await condition())) await turn();
  }

  /** Lets the event loop turn, and time go on in small steps, until it comes true. */
  async untilTrue(condition: () => boolean | Promise<boolean>): Promise<void> {
    for (let passedMs = 0; !(await condition()); passedMs += 5) {
      if (passedMs > longestMs) throw new Error(`never came true: ${condition}`);
      for (let turns = 0; turns < 5; turns++) await turn();
      if (await condition()) return;
      this.advance(5);
    }
  }
}

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
