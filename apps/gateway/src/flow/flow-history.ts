/**
 * The newest samples of the flow, so that a page opened late still shows the peak that just passed.
 *
 * What can go wrong: two samples of one instant (a clock that stands, two calls at once) would draw one moment twice;
 * only a later sample than the last is kept. Bounded by count, so memory does not grow with time.
 */
import type { FlowSample } from "@plateau/domain";

/** Three minutes at one sample a second: what the live page's chart spans. */
export const historySamplesMax = 180;

export class FlowHistory {
  readonly #samples: FlowSample[] = [];

  add(sample: FlowSample): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && sample.atMs <= last.atMs) return;
    this.#samples.push(sample);
    if (this.#samples.length > historySamplesMax) this.#samples.shift();
  }

  /** Oldest first. */
  get samples(): readonly FlowSample[] {
    return this.#samples;
  }
}
