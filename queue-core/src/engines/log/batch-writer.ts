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

/** The batch comes back with its outcome: on its way to the thread its memory leaves this one. */
export type OutcomeListener = (outcome: WriteOutcome, batch: Buffer) => void;

export interface BatchWriter {
  /** One at a time: not before the outcome of the last. */
  write(request: WriteRequest): void;
  close(): Promise<void>;
}

/** From the thread's first message on; before it, the thread has opened the newest segment. */
export type FromWriterThread =
  | { readonly kind: "ready" }
  | { readonly kind: "outcome"; readonly outcome: WriteOutcome; readonly batch: Uint8Array };

export type ToWriterThread =
  | { readonly kind: "write"; readonly request: Omit<WriteRequest, "batch"> & { readonly batch: Uint8Array } }
  | { readonly kind: "close" };

/** Rejects when the thread cannot start or cannot open the newest segment. */
export async function startWriterThread(
  settings: SegmentWriterSettings,
  onOutcome: OutcomeListener,
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
    if (!closing) onOutcome({ kind: "failed", reason }, Buffer.alloc(0));
  };
  await new Promise<void>((resolve, reject) => {
    thread.once("error", reject);
    thread.once("message", () => {
      thread.off("error", reject);
      resolve();
    });
  });
  thread.on("message", (message: FromWriterThread) => {
    if (message.kind !== "outcome") return;
    thread.unref();
    const { buffer, byteOffset, length } = message.batch;
    onOutcome(message.outcome, Buffer.from(buffer as ArrayBuffer, byteOffset, length));
  });
  thread.on("error", (error) => fail(`the writer thread died: ${error.message}`));
  thread.on("exit", (code) => fail(`the writer thread ended with code ${code}`));
  thread.unref();
  return {
    write(request) {
      thread.ref();
      const message: ToWriterThread = { kind: "write", request };
      thread.postMessage(message, [request.batch.buffer as ArrayBuffer]);
    },
    async close() {
      closing = true;
      thread.ref();
      const message: ToWriterThread = { kind: "close" };
      thread.postMessage(message);
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
  onOutcome: OutcomeListener,
  later: Later,
): BatchWriter {
  const writer = new SegmentWriter(disk, settings);
  return {
    write(request) {
      later(() => onOutcome(writer.write(request), request.batch));
    },
    async close() {
      writer.close();
    },
  };
}
