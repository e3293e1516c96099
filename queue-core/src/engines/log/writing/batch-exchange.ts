/**
 * Memory that the engine's thread and the writer's share: a batch goes over, and word of it comes back, without a
 * message. (Measured: 33 µs of the engine's thread for a message there and one back, 5 µs for this; the hop was the
 * largest cost of a commit.)
 *
 *      0  i32  requests made                          16  i32  number of the request that lies in the bytes
 *      4  i32  number of the last request that was    20  i32  length of its batch
 *              answered here with "written"           24  f64  where it goes in the segment
 *      8  i32  number of the request for whose        32  f64  segment to begin, -1: none
 *              answer the engine sleeps
 *     64       bytes of the batch
 *
 * Requests are numbered from 1, and on from -2^31 after 2^31 - 1. One that does not lie in the bytes (a large batch, a
 * rare kind) comes as a message, posted before its number is counted, and every answer but "written" goes as a message
 * too.
 *
 * What can go wrong: one side reads what the other is writing. The bytes are the thread's from `ask` until its
 * answer, and the engine asks for one batch at a time. Or one side sleeps while the other believes that it does not:
 * each first tells, then looks. `Atomics.waitAsync` is not used, although it looks made for this: now and then, once in
 * some 300,000 times on a busy machine, V8 13.6 forgets to resolve its promise, and the log would stand still.
 */
import type { WriteRequest } from "./segment-writer.ts";
import { WatchRecord } from "./watch-record.ts";

const headBytes = 64;
const batchBytes = 1024 * 1024;
const [asked, written, sleptFor, inlineNumber, inlineLength] = [0, 1, 2, 4, 5] as const;
const [place, segment] = [3, 4] as const;
const noSegment = -1;
/** A publisher that waits for each of its messages is back after 8 to 30 µs. */
const longestWatchMs = 0.05;
/** A look takes some ns, asking for the time as much as ten of them. */
const looksBetweenTimes = 64;

export class BatchExchange {
  readonly memory: SharedArrayBuffer;
  readonly #integers: Int32Array;
  readonly #doubles: Float64Array;
  readonly #bytes: Buffer;
  /** The thread's: requests it has taken. */
  #taken = 0;
  /** The thread's. */
  readonly #watches = new WatchRecord();

  constructor(memory = new SharedArrayBuffer(headBytes + batchBytes)) {
    this.memory = memory;
    this.#integers = new Int32Array(memory, 0, headBytes / 4);
    this.#doubles = new Float64Array(memory, 0, headBytes / 8);
    this.#bytes = Buffer.from(memory, headBytes);
  }

  /** The engine: lays a batch down for the request that is asked next. False where it is too large. */
  lay({ batch, position, beginSegment }: WriteRequest): boolean {
    if (batch.length > batchBytes) return false;
    this.#bytes.set(batch);
    this.#integers[inlineLength] = batch.length;
    this.#doubles[place] = position;
    this.#doubles[segment] = beginSegment ?? noSegment;
    this.#integers[inlineNumber] = next(Atomics.load(this.#integers, asked));
    return true;
  }

  /** The engine: makes a request and wakes the thread. Its number. */
  ask(): number {
    const number = next(Atomics.add(this.#integers, asked, 1));
    Atomics.notify(this.#integers, asked);
    return number;
  }

  /** The engine: whether that request was answered with "written". */
  isWritten(number: number): boolean {
    return Atomics.load(this.#integers, written) === number;
  }

  /** The engine: has the thread send word when that request is written. False where it is already. */
  sleepFor(number: number): boolean {
    Atomics.store(this.#integers, sleptFor, number);
    return !this.isWritten(number);
  }

  /** The thread: waits for a request. Undefined for one that is a message; else views of this memory. */
  take(): WriteRequest | undefined {
    if (this.#watches.pays()) this.#watch();
    while (!this.#isAsked()) Atomics.wait(this.#integers, asked, this.#taken);
    this.#taken = next(this.#taken);
    if (this.#integers[inlineNumber] !== this.#taken) return undefined;
    const beginSegment = this.#doubles[segment] as number;
    return {
      batch: this.#bytes.subarray(0, this.#integers[inlineLength]),
      position: this.#doubles[place] as number,
      beginSegment: beginSegment === noSegment ? undefined : beginSegment,
    };
  }

  /** The thread: the request taken last is written. True where the engine is to be sent word of it. */
  answerWritten(): boolean {
    Atomics.store(this.#integers, written, this.#taken);
    return Atomics.load(this.#integers, sleptFor) === this.#taken;
  }

  #isAsked(): boolean {
    return Atomics.load(this.#integers, asked) !== this.#taken;
  }

  #watch(): void {
    const endsMs = performance.now() + longestWatchMs;
    for (let looks = 1; !this.#isAsked(); looks++) {
      if (looks % looksBetweenTimes !== 0 || performance.now() < endsMs) continue;
      this.#watches.inVain();
      return;
    }
    this.#watches.seen();
  }
}

function next(number: number): number {
  return (number + 1) | 0;
}
