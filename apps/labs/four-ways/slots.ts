/**
 * A fixed number of connections to something, and a line before them: first come, first served.
 *
 * What can go wrong: a line has no end of its own, so work may wait for minutes and then be done for somebody who
 * left. Whose deadline is over when the turn comes is told `TooLate`, and its work is never begun.
 */
export class TooLate extends Error {
  override readonly name = "TooLate";
}

interface Waiting {
  readonly deadlineMs: number;
  readonly begin: () => void;
  readonly giveUp: () => void;
}

export class Slots {
  #free: number;
  readonly #line: Waiting[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** `deadlineMs`: on the clock of `performance.now()`; default none. Rejects with TooLate, or as the work does. */
  async run<T>(work: () => Promise<T>, deadlineMs = Number.POSITIVE_INFINITY): Promise<T> {
    await this.#take(deadlineMs);
    try {
      return await work();
    } finally {
      this.#giveBack();
    }
  }

  #take(deadlineMs: number): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve();
    }
    return new Promise((begin, reject) => {
      this.#line.push({ deadlineMs, begin, giveUp: () => reject(new TooLate("its turn came after its deadline")) });
    });
  }

  #giveBack(): void {
    for (let next = this.#line.shift(); next !== undefined; next = this.#line.shift()) {
      if (next.deadlineMs >= performance.now()) {
        next.begin();
        return;
      }
      next.giveUp();
    }
    this.#free += 1;
  }
}
