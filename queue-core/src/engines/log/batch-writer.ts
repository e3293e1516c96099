/**
 * Where the log engine hands its batches to: a thread of its own, or, on a given disk, this thread.
 *
 * What can go wrong: on libuv's pool a sync queues behind password hashes (measured: 0.35 → 178 ms with eight of
 * them); a thread may die. Promises: exactly one outcome for each request, in order; a thread that died is an
 * outcome `failed`; the thread keeps the process alive only while a batch is under way, and ends with `close`.
 */
import { Worker } from "node:worker_threads";
import type { Disk } from "./disk.ts";
import { SegmentWriter, type SegmentWriterSettings, type WriteOutcome, type WriteRequest } from "./segment-writer.ts";

export interface WriterListener {
  /** The batch comes back with its outcome: on its way to the thread its memory leaves this one. */
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
  | { readonly kind: "outcome"; readonly outcome: WriteOutcome; readonly batch: Uint8Array }
  | { readonly kind: "reserve"; readonly isMade: boolean };

export type ToWriterThread =
  | { readonly kind: "write"; readonly request: Omit<WriteRequest, "batch"> & { readonly batch: Uint8Array } }
  | { readonly kind: "make reserve" }
  | { readonly kind: "close" };

/** Rejects when the thread cannot start or cannot open the newest segment. */
export async function startWriterThread(
  settings: SegmentWriterSettings,
  listener: WriterListener,
): Promise<BatchWriter> {
  const thread = new Worker(new URL("./writer-thread.ts", import.meta.url), {
    workerData: settings,
    name: "queue-log-writer",
    // Flags of the main thread, a test runner's say, are no business of this one.
    execArgv: [],
  });
  const exited = new Promise<number>((resolve) => thread.once("exit", resolve));
  let closing = false;
  const fail = (reason: string) => {
    if (!closing) listener.onOutcome({ kind: "failed", reason }, Buffer.alloc(0));
  };
  await new Promise<void>((resolve, reject) => {
    thread.once("error", reject);
    thread.once("message", () => {
      thread.off("error", reject);
      resolve();
    });
  });
  let awaited = 0;
  thread.on("message", (message: FromWriterThread) => {
    if (--awaited === 0) thread.unref();
    if (message.kind === "outcome") {
      const { buffer, byteOffset, length } = message.batch;
      listener.onOutcome(message.outcome, Buffer.from(buffer as ArrayBuffer, byteOffset, length));
    } else if (message.kind === "reserve") {
      listener.onReserve(message.isMade);
    }
  });
  thread.on("error", (error) => fail(`the writer thread died: ${error.message}`));
  thread.on("exit", (code) => fail(`the writer thread ended with code ${code}`));
  thread.unref();
  const ask = (message: ToWriterThread, transfer: ArrayBuffer[]) => {
    awaited++;
    thread.ref();
    thread.postMessage(message, transfer);
  };
  return {
    write: (request) => ask({ kind: "write", request }, [request.batch.buffer as ArrayBuffer]),
    makeReserve: () => ask({ kind: "make reserve" }, []),
    async close() {
      closing = true;
      ask({ kind: "close" }, []);
      await exited;
    },
  };
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
