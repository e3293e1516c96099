/**
 * The window of a partition that a consumer has in hand: what was read and is not yet behind the committed offset.
 * Pure bookkeeping, no I/O.
 *
 * Messages of one key stand in a line. A line is ready, running or held; only its front messages can be taken, and
 * only while it is ready, so that order within a key holds whatever happens to others.
 *
 *   ready ──take──► running ──release──► ready        (or gone, when the line is empty)
 *                      └─────hold──────► held ──release──► ready
 *
 * What can go wrong: a message acknowledged out of order must not move the committed offset past one that is not;
 * `head` is the first offset that is not acknowledged. Each transition asserts where it comes from.
 */
export interface Line<Item> {
  readonly key: string;
  state: "ready" | "running" | "held";
  /** In offset order, linked by `next`: most lines hold one message, and a list for each would be one object more. */
  first: Entry<Item> | undefined;
  last: Entry<Item> | undefined;
  length: number;
}

export interface Entry<Item> {
  readonly offset: number;
  readonly item: Item;
  readonly bytes: number;
  readonly line: Line<Item>;
  acknowledged: boolean;
  /** Behind it in its line. */
  next: Entry<Item> | undefined;
}

export class SlidingWindow<Item> {
  readonly #lines = new Map<string, Line<Item>>();
  #ready: Line<Item>[] = [];
  #firstReady = 0;
  /** What was added, in offset order; the head is at `#first`. */
  #order: { readonly offset: number; readonly bytes: number; acknowledged: boolean }[] = [];
  #first = 0;
  #takeable = 0;
  #bytes = 0;
  #next: number;

  constructor(startOffset: number) {
    this.#next = startOffset;
  }

  /** The first offset that is not acknowledged: everything before it is. */
  get head(): number {
    return this.#order[this.#first]?.offset ?? this.#next;
  }

  /** Messages between the head and the last one added. */
  get size(): number {
    return this.#order.length - this.#first;
  }

  /** Bytes of those messages; also of the acknowledged ones, which stay in memory until the head passes them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many messages stand in ready lines. */
  get takeable(): number {
    return this.#takeable;
  }

  add(offset: number, key: string, item: Item, bytes = 0): void {
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = { key, state: "ready", first: undefined, last: undefined, length: 0 };
      this.#lines.set(key, line);
      this.#ready.push(line);
    }
    const entry: Entry<Item> = { offset, item, bytes, line, acknowledged: false, next: undefined };
    if (line.last === undefined) line.first = entry;
    else line.last.next = entry;
    line.last = entry;
    line.length++;
    if (line.state === "ready") this.#takeable++;
    this.#order.push(entry);
    this.#bytes += bytes;
    this.#next = offset + 1;
  }

  /** An offset that needs no work. */
  addAcknowledged(offset: number): void {
    this.#order.push({ offset, bytes: 0, acknowledged: true });
    this.#next = offset + 1;
    this.#moveHead();
  }

  /** Up to `maxEntries` from the front of ready lines, in offset order; their lines are running then. */
  take(maxEntries: number): Entry<Item>[] {
    const taken: Entry<Item>[] = [];
    let isInOrder = true;
    let lastOffset = -1;
    while (taken.length < maxEntries && this.#firstReady < this.#ready.length) {
      const line = this.#ready[this.#firstReady++] as Line<Item>;
      if (line.state !== "ready") throw misuse(`line ${line.key} was queued while ${line.state}`);
      line.state = "running";
      this.#takeable -= line.length;
      for (let entry = line.first; entry !== undefined && taken.length < maxEntries; entry = entry.next) {
        if (entry.offset < lastOffset) isInOrder = false;
        lastOffset = entry.offset;
        taken.push(entry);
      }
    }
    if (this.#firstReady === this.#ready.length) {
      this.#ready = [];
      this.#firstReady = 0;
    }
    return isInOrder ? taken : taken.sort((a, b) => a.offset - b.offset);
  }

  /** The front message of a running line needs no more work. */
  acknowledge(entry: Entry<Item>): void {
    const { line } = entry;
    if (line.state !== "running" || line.first !== entry) throw misuse(`offset ${entry.offset} is not at the front`);
    entry.acknowledged = true;
    line.first = entry.next;
    if (line.first === undefined) line.last = undefined;
    line.length--;
    this.#moveHead();
  }

  /** A running line waits for `release`. */
  hold(line: Line<Item>): void {
    if (line.state !== "running") throw misuse(`line ${line.key} was held while ${line.state}`);
    line.state = "held";
  }

  /** A running or held line can be taken from again, or is gone when nothing is left in it. */
  release(line: Line<Item>): void {
    if (line.state === "ready") throw misuse(`line ${line.key} was released while ready`);
    if (line.first === undefined) {
      this.#lines.delete(line.key);
      return;
    }
    line.state = "ready";
    this.#takeable += line.length;
    this.#ready.push(line);
  }

  #moveHead(): void {
    for (let first = this.#order[this.#first]; first?.acknowledged === true; first = this.#order[this.#first]) {
      this.#bytes -= first.bytes;
      this.#first++;
    }
    if (this.#first > 1024 && this.#first * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#first);
      this.#first = 0;
    }
  }
}

/** Made only when it is thrown: a text for each message that passes would be most of the work. */
function misuse(message: string): Error {
  return new Error(`sliding window: ${message}`);
}
