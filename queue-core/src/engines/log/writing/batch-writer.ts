/**
 * Where the log engine hands its batches to: a thread of its own, or, on a given disk, this thread.
 *
 * What can go wrong: on libuv's pool a sync queues behind password hashes (measured: 0.35 → 178 ms with eight of
 * them); a thread may die. Promises: exactly one outcome for each request, in order; a thread that died is an
 * outcome `failed`; the thread keeps the process alive only while a batch is under way, and ends with `close`.
 *
 * Where it pays, this thread does not sleep until a batch is back: each turn of its event loop looks, between whatever
 * else there is to do. A publisher alone waits 10 to 15 µs less that way, of 70.
 */
import { Worker } from "node:worker_threads";
import { BatchExchange } from "./batch-exchange.ts";
import type { Disk } from "./disk.ts";
import { SegmentWriter, type SegmentWriterSettings, type WriteOutcome, type WriteRequest } from "./segment-writer.ts";
import { WatchRecord } from "./watch-record.ts";

export interface WriterListener {
  /** The batch is handed back with its outcome. */
  onOutcome(outcome: WriteOutcome, batch: Buffer): void;
  /** Whether `makeReserve` found room. In one order with the outcomes, as the calls were. */
  onReserve(isMade: boolean): void;
}

export interface BatchWriter {
  /** One at a time: not before the outcome of the last. */
  write(request: WriteRequest): void;
  makeReserve(): void;
  close(): Promise<void>;
}

/** From the thread's first message on; before it, the thread has opened the newest segment. */
export type FromWriterThread =
  | { readonly kind: "ready" }
  /** Something was written: batch-exchange.ts tells what. */
  | { readonly kind: "written" }
  | { readonly kind: "outcome"; readonly outcome: WriteOutcome }
  | { readonly kind: "reserve"; readonly isMade: boolean };

export type ToWriterThread =
  | { readonly kind: "write"; readonly request: Omit<WriteRequest, "batch"> & { readonly batch: Uint8Array } }
  | { readonly kind: "make reserve" }
  | { readonly kind: "close" };

export interface WriterThreadData {
  readonly settings: SegmentWriterSettings;
  readonly memory: SharedArrayBuffer;
}

/** Rejects when the thread cannot start or cannot open the newest segment. */
export async function startWriterThread(
  settings: SegmentWriterSettings,
  listener: WriterListener,
): Promise<BatchWriter> {
  const exchange = new BatchExchange();
  const data: WriterThreadData = { settings, memory: exchange.memory };
  const thread = new Worker(new URL("./writer-thread.ts", import.meta.url), {
    workerData: data,
    name: "queue-log-writer",
    // Flags of the main thread, a test runner's say, are no business of this one.
    execArgv: [],
  });
  await new Promise<void>((resolve, reject) => {
    thread.once("error", reject);
    thread.once("message", () => {
      thread.off("error", reject);
      resolve();
    });
  });
  return new ThreadWriter(thread, exchange, listener);
}

/** Four times as long as a small batch takes on a good disk. */
const longestWatchMs = 0.2;

class ThreadWriter implements BatchWriter {
  readonly #thread: Worker;
  readonly #exchange: BatchExchange;
  readonly #listener: WriterListener;
  readonly #exited: Promise<void>;
  readonly #watches = new WatchRecord();
  #underWay: { readonly number: number; readonly batch: Buffer } | undefined;
  #awaited = 0;
  #mode: "open" | "closing" = "open";

  constructor(thread: Worker, exchange: BatchExchange, listener: WriterListener) {
    this.#thread = thread;
    this.#exchange = exchange;
    this.#listener = listener;
    this.#exited = new Promise((resolve) => thread.once("exit", () => resolve()));
    thread.on("message", (message: FromWriterThread) => this.#hear(message));
    thread.on("error", (error) => this.#fail(`the writer thread died: ${error.message}`));
    thread.on("exit", (code) => this.#fail(`the writer thread ended with code ${code}`));
    thread.unref();
  }

  write(request: WriteRequest): void {
    const { batch } = request;
    if (!this.#exchange.lay(request)) this.#thread.postMessage({ kind: "write", request } satisfies ToWriterThread);
    const number = this.#ask();
    this.#underWay = { number, batch };
    if (this.#watches.pays()) setImmediate(() => this.#watch(number, performance.now() + longestWatchMs));
    else this.#sleepFor(number);
  }

  makeReserve(): void {
    this.#thread.postMessage({ kind: "make reserve" } satisfies ToWriterThread);
    this.#ask();
  }

  async close(): Promise<void> {
    this.#mode = "closing";
    this.#thread.postMessage({ kind: "close" } satisfies ToWriterThread);
    this.#ask();
    await this.#exited;
  }

  #watch(number: number, endsMs: number): void {
    this.#lookWhetherWritten();
    if (this.#underWay?.number !== number) {
      this.#watches.seen();
    } else if (performance.now() < endsMs) {
      setImmediate(() => this.#watch(number, endsMs));
    } else {
      this.#watches.inVain();
      this.#sleepFor(number);
    }
  }

  /** Until the thread sends word. Never within the call that asked. */
  #sleepFor(number: number): void {
    if (!this.#exchange.sleepFor(number)) setImmediate(() => this.#lookWhetherWritten());
  }

  #ask(): number {
    this.#awaited++;
    this.#thread.ref();
    return this.#exchange.ask();
  }

  #answered(): void {
    if (--this.#awaited === 0) this.#thread.unref();
  }

  #hear(message: FromWriterThread): void {
    // Two ways lead here; what was written before this message was posted is told first.
    this.#lookWhetherWritten();
    if (message.kind === "outcome") this.#settle(message.outcome);
    if (message.kind !== "reserve") return;
    this.#answered();
    this.#listener.onReserve(message.isMade);
  }

  #lookWhetherWritten(): void {
    if (this.#underWay === undefined || !this.#exchange.isWritten(this.#underWay.number)) return;
    this.#settle({ kind: "written" });
  }

  #settle(outcome: WriteOutcome): void {
    if (this.#underWay === undefined) return;
    const { batch } = this.#underWay;
    this.#underWay = undefined;
    this.#answered();
    this.#listener.onOutcome(outcome, batch);
  }

  #fail(reason: string): void {
    if (this.#mode === "open") this.#listener.onOutcome({ kind: "failed", reason }, Buffer.alloc(0));
  }
}

/** Runs work in this thread once the current turn is over: `setImmediate`, or a simulation's schedule. */
export type Later = (run: () => void) => void;

/** Writes in this thread, but not within the call that asked. */
export function createInlineWriter(
  disk: Disk,
  settings: SegmentWriterSettings,
  listener: WriterListener,
  later: Later,
): BatchWriter {
  const writer = new SegmentWriter(disk, settings);
  let closed = false;
  return {
    write(request) {
      later(() => listener.onOutcome(writer.write(request), request.batch));
    },
    makeReserve() {
      later(() => {
        if (!closed) listener.onReserve(writer.makeReserve());
      });
    },
    async close() {
      closed = true;
      writer.close();
    },
  };
}
