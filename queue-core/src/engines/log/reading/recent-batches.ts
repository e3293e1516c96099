/**
 * Batches whose messages are still served from memory, oldest first.
 *
 * Promise: together they take no more than the budget, however the messages lie over partitions.
 */
import type { RecentBatch } from "./partition-messages.ts";

/** What a kept batch, a partition's part of it, and a message's place cost besides the bytes; estimated. */
const batchOverheadBytes = 256;
const holderOverheadBytes = 160;
const placeBytes = 16;

export class RecentBatches {
  readonly #budgetBytes: number;
  #batches: ({ readonly batch: RecentBatch; readonly cost: number } | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  add(batch: RecentBatch, messages: number): void {
    const cost =
      batch.bytes.length + batchOverheadBytes + batch.holders.length * holderOverheadBytes + messages * placeBytes;
    this.#batches.push({ batch, cost });
    this.#bytes += cost;
    while (this.#bytes > this.#budgetBytes) this.#forgetOldest();
    if (this.#head < 64 || this.#head * 2 < this.#batches.length) return;
    this.#batches = this.#batches.slice(this.#head);
    this.#head = 0;
  }

  #forgetOldest(): void {
    const oldest = this.#batches[this.#head];
    if (oldest === undefined) return;
    this.#batches[this.#head++] = undefined;
    this.#bytes -= oldest.cost;
    for (const holder of oldest.batch.holders) holder.forgetOldestBatch();
  }
}
