/**
 * When something may be sent to Redis: whoever asks while answers are outstanding waits, and then all go together.
 *
 *   grounded ──board──► boarding (what this turn of the event loop asks for) ──► under way ──all landed──► grounded,
 *                          ▲                                                                                   │
 *                          └──────────────────────── somebody waits ───────────────────────────────────────────┘
 *
 * Under load a write to a socket, and the wake-up that its answer costs, are dearer than most commands: 200 purchases
 * whose reads and commits go one by one are 600 of each, and here some ten. Who waits does so for at most one answer,
 * which behind an earlier command of the same connection it would have done in Redis.
 *
 * What can go wrong: a passenger that never lands keeps everybody else on the ground. Promise of each passenger: it
 * lands within its own deadline, whatever becomes of the connection.
 */
export class Flights {
  #boarding: (() => void)[] = [];
  #underWay = 0;
  #isCalled = false;

  /** Resolves when the next flight leaves; what it resolves with must be called once the answer is there. */
  async board(): Promise<() => void> {
    const left = new Promise<void>((resolve) => {
      this.#boarding.push(resolve);
    });
    this.#call();
    await left;
    return () => this.#land();
  }

  #call(): void {
    if (this.#isCalled || this.#underWay > 0 || this.#boarding.length === 0) return;
    this.#isCalled = true;
    setImmediate(() => this.#leave());
  }

  #leave(): void {
    this.#isCalled = false;
    const passengers = this.#boarding;
    this.#boarding = [];
    this.#underWay = passengers.length;
    for (const leave of passengers) leave();
  }

  #land(): void {
    this.#underWay--;
    this.#call();
  }
}
