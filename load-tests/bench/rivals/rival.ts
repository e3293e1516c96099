/**
 * What every side of the comparison does with the same 230-byte purchases, as JSON: makes them durable with 256 in
 * flight, and hands them to a consumer that decodes each, does nothing with it, and acknowledges it.
 *
 * What can go wrong: a side that loses or repeats a message would look fast, so each counts what its consumer got.
 */

export interface Rival {
  readonly name: string;
  /** What an acknowledged publish survives there. */
  readonly durability: string;
  /** So many that a round takes about a second. */
  readonly messagesPerRound: number;
  /** Messages `first` to before `first + count`; elapsed ms until all are acknowledged. Nobody consumes meanwhile. */
  publish(first: number, count: number): Promise<number>;
  /** The same, until the consumer, which runs meanwhile, has acknowledged all of them. */
  publishAndConsume(first: number, count: number): Promise<number>;
  stop(): Promise<void>;
}

export const publishersInFlight = 256;

/** Counts what a consumer was handed. */
export class HandledCount {
  #handled = 0;
  #expected = Number.POSITIVE_INFINITY;
  #resolve: () => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  /** Resolves once so many more were handled; rejects where there were more. Before the first of them. */
  next(count: number): Promise<void> {
    this.#expected = this.#handled + count;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  add(count: number): void {
    this.#handled += count;
    if (this.#handled === this.#expected) this.#resolve();
    if (this.#handled > this.#expected) this.#reject(new Error("a message was handled that nobody published"));
  }
}
