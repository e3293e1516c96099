/**
 * Memory that the engine's thread and the writer's share: a batch goes over, and word of it comes back, without a
 * message. (Measured: 33 µs of the engine's thread for a message there and one back, 5 µs for this; the hop was the
 * largest cost of a commit.)
 *
 *      0  i32  requests made                          16  i32  number of the request that lies in the bytes
 *      4  i32  number of the last request that was    20  i32  length of its batch
 *              answered here with "written"           24  f64  where it goes in the segment
 *                                                     32  f64  segment to begin, -1: none
 *     64       bytes of the batch
 *
 * Requests are numbered from 1, and on from -2^31 after 2^31 - 1. One that does not lie in the bytes (a large batch, a rare kind) comes as a message,
 * posted before its number is counted, and every answer but "written" goes as a message too.
 *
 * What can go wrong: one side reads what the other is writing. The bytes are the thread's from `ask` until its
 * answer, and the engine asks for one batch at a time.
 */
import type { WriteRequest } from "./segment-writer.ts";

const headBytes = 64;
const batchBytes = 1024 * 1024;
const [asked, written, inlineNumber, inlineLength] = [0, 1, 4, 5] as const;
const [place, segment] = [3, 4] as const;
const noSegment = -1;

export class BatchExchange {
  readonly memory: SharedArrayBuffer;
  readonly #integers: Int32Array;
  readonly #doubles: Float64Array;
  readonly #bytes: Buffer;
  /** The thread's: requests it has taken. */
  #taken = 0;

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

  /** The engine: resolves when the next request is answered with "written", or at once where that one is. */
  async nextWritten(number: number): Promise<void> {
    const before = Atomics.load(this.#integers, written);
    if (before !== number) await Atomics.waitAsync(this.#integers, written, before).value;
  }

  /** The thread: sleeps until there is a request. Undefined for one that is a message; else views of this memory. */
  take(): WriteRequest | undefined {
    while (Atomics.load(this.#integers, asked) === this.#taken) Atomics.wait(this.#integers, asked, this.#taken);
    this.#taken = next(this.#taken);
    if (this.#integers[inlineNumber] !== this.#taken) return undefined;
    const beginSegment = this.#doubles[segment] as number;
    return {
      batch: this.#bytes.subarray(0, this.#integers[inlineLength]),
      position: this.#doubles[place] as number,
      beginSegment: beginSegment === noSegment ? undefined : beginSegment,
    };
  }

  /** The thread: the request taken last is written. */
  answerWritten(): void {
    Atomics.store(this.#integers, written, this.#taken);
    Atomics.notify(this.#integers, written);
  }
}

function next(number: number): number {
  return (number + 1) | 0;
}
