/**
 * The newest messages of one partition, in offset order, without gaps.
 *
 * Promise: a push and a drop at the head cost the same however many messages are kept.
 */
import type { StoredMessage } from "../engine.ts";

export interface ReadLimits {
  readonly maxMessages: number;
  readonly maxBytes?: number;
}

export class MessageRing {
  #messages: (StoredMessage | undefined)[] = [];
  /** Index of the oldest kept message; everything before it is freed in one go once it is half of the array. */
  #head = 0;
  #firstOffset = 0;

  push(message: StoredMessage): void {
    this.#messages.push(message);
  }

  dropBefore(offset: number): void {
    while (this.#firstOffset < offset && this.#head < this.#messages.length) {
      this.#messages[this.#head++] = undefined;
      this.#firstOffset++;
    }
    if (this.#head < 64 || this.#head * 2 < this.#messages.length) return;
    this.#messages = this.#messages.slice(this.#head);
    this.#head = 0;
  }

  /** From `fromOffset`, which is not below the oldest kept one, to before `endOffset`. */
  read(fromOffset: number, endOffset: number, limits: ReadLimits): StoredMessage[] {
    const found: StoredMessage[] = [];
    let bytes = 0;
    for (let offset = fromOffset; offset < endOffset && found.length < limits.maxMessages; offset++) {
      const message = this.#messages[this.#head + offset - this.#firstOffset] as StoredMessage;
      bytes += message.value.length;
      if (found.length > 0 && limits.maxBytes !== undefined && bytes > limits.maxBytes) break;
      found.push(message);
    }
    return found;
  }
}
