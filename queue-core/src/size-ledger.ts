/**
 * What the messages of one partition weigh that this process stored: how many of them, with how many bytes, lie at
 * or behind an offset.
 *
 * What can go wrong: a size for each of a million waiting messages would cost more memory than it is worth. So sizes
 * are summed over runs of messages, and a run of which a part is consumed counts whole. Promise: never too low, and
 * too high by less than one run, which holds at most `runBytes` beyond its first message.
 *
 * Receipts may come out of order by as much as is in flight; a run covers all offsets from its first to its last, and
 * overlapping runs are no harm.
 */
interface Run {
  firstOffset: number;
  lastOffset: number;
  messages: number;
  bytes: number;
}

export interface RunLimits {
  readonly runBytes: number;
  readonly runMessages: number;
}

export class SizeLedger {
  readonly #limits: RunLimits;
  /** In the order of receipts. */
  #runs: Run[] = [];

  constructor(limits: RunLimits) {
    this.#limits = limits;
  }

  add(offset: number, bytes: number): void {
    const newest = this.#runs.at(-1);
    const { runBytes, runMessages } = this.#limits;
    if (newest === undefined || newest.bytes + bytes > runBytes || newest.messages >= runMessages) {
      this.#runs.push({ firstOffset: offset, lastOffset: offset, messages: 1, bytes });
      return;
    }
    if (offset > newest.lastOffset) newest.lastOffset = offset;
    else if (offset < newest.firstOffset) newest.firstOffset = offset;
    newest.messages++;
    newest.bytes += bytes;
  }

  /** Forgets what lies before the offset. */
  forgetBefore(offset: number): void {
    let gone = 0;
    while ((this.#runs[gone]?.lastOffset ?? offset) < offset) gone++;
    if (gone > 0) this.#runs = this.#runs.slice(gone);
  }

  /** What lies from the offset on. */
  from(offset: number): { readonly messages: number; readonly bytes: number } {
    let messages = 0;
    let bytes = 0;
    // Few runs are needed as a rule: those that were not consumed.
    for (let index = this.#runs.length - 1; index >= 0; index--) {
      const run = this.#runs[index] as Run;
      if (run.lastOffset < offset) continue;
      messages += Math.min(run.messages, run.lastOffset - Math.max(offset, run.firstOffset) + 1);
      bytes += run.bytes;
    }
    return { messages, bytes };
  }
}
