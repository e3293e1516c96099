/**
 * Whether it pays to look for something for a moment before sleeping until it comes.
 *
 * To be woken takes a thread 5 to 15 µs, a looker sees it at once. What can go wrong: it comes late, or the looker
 * holds the very core that the other thread needs, and then looking costs more than sleeping. Promise: looks that were
 * in vain are made up for by sleeping at once, the next time, then twice, and so on up to 256 times; one that was not
 * begins anew.
 */
export class WatchRecord {
  #sleepsLeft = 0;
  #sleepsAfterNext = 1;

  /** Asked once each time. */
  pays(): boolean {
    if (this.#sleepsLeft === 0) return true;
    this.#sleepsLeft--;
    return false;
  }

  seen(): void {
    this.#sleepsAfterNext = 1;
  }

  inVain(): void {
    this.#sleepsLeft = this.#sleepsAfterNext;
    this.#sleepsAfterNext = Math.min(256, this.#sleepsAfterNext * 2);
  }
}
