/**
 * Makes one bulk of what independent publishers ask for in the same turn of the event loop, where a rival has a call
 * for bulks: what an application would put in front of it.
 */

interface Waiting {
  readonly number: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class GatheredPublishes {
  readonly #mostAtOnce: number;
  readonly #store: (numbers: readonly number[]) => Promise<unknown>;
  #waiting: Waiting[] = [];

  /** `store` makes those messages durable together. */
  constructor(mostAtOnce: number, store: (numbers: readonly number[]) => Promise<unknown>) {
    this.#mostAtOnce = mostAtOnce;
    this.#store = store;
  }

  /** Resolves once the message is stored. */
  publish(number: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#storeAll());
      this.#waiting.push({ number, resolve, reject });
    });
  }

  #storeAll(): void {
    const all = this.#waiting;
    this.#waiting = [];
    for (let from = 0; from < all.length; from += this.#mostAtOnce) {
      const bulk = all.slice(from, from + this.#mostAtOnce);
      this.#store(bulk.map(({ number }) => number)).then(
        () => {
          for (const { resolve } of bulk) resolve();
        },
        (error: unknown) => {
          for (const { reject } of bulk) reject(error);
        },
      );
    }
  }
}
