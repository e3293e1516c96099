/**
 * Statements for single jobs, run for many at once: while one runs, what is asked for meanwhile gathers for the next.
 *
 *   ask ─┐
 *   ask ─┼─► waiting ──nothing runs──► one statement ──► each asker gets its own answer
 *   ask ─┘        ▲──────── asked for meanwhile ───┘
 *
 * A statement for each SMS would cost the database, and this thread, more than sending it.
 *
 * What can go wrong: the database refuses one row, and the statement with it. Then each is asked for alone, so that only
 * the bad one fails.
 */
import { isRefusedRow } from "@plateau/prisma";

interface Asked<In, Out> {
  readonly item: In;
  readonly resolve: (answer: Out) => void;
  readonly reject: (error: unknown) => void;
}

export class Gathered<In, Out> {
  readonly #run: (items: readonly In[]) => Promise<readonly Out[]>;
  readonly #most: number;
  #waiting: Asked<In, Out>[] = [];
  #isRunning = false;

  /** `run` answers for each item, in the same order. At most `most` at once. */
  constructor(run: (items: readonly In[]) => Promise<readonly Out[]>, most = 500) {
    this.#run = run;
    this.#most = most;
  }

  ask(item: In): Promise<Out> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#isRunning) void this.#runAll();
    });
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    // Those who ask in the same turn go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#answer(this.#waiting.splice(0, this.#most));
    this.#isRunning = false;
  }

  async #answer(asked: readonly Asked<In, Out>[]): Promise<void> {
    try {
      const answers = await this.#run(asked.map(({ item }) => item));
      for (const [index, { resolve }] of asked.entries()) resolve(answers[index] as Out);
    } catch (error) {
      if (asked.length > 1 && isRefusedRow(error)) for (const one of asked) await this.#answer([one]);
      else for (const { reject } of asked) reject(error);
    }
  }
}
