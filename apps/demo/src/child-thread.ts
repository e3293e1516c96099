/**
 * The life of a thread of the back end, seen from the thread that starts it.
 *
 * starting → running → stopping → gone. What can go wrong: it throws, or ends by itself. The process must not go on
 * with a part of it missing, so that ends the whole process with the thread's own error, as if it had been thrown
 * here; whoever supervises the process starts it again. Promise: `stop` resolves when the thread is gone, and with it
 * everything that it held open.
 */
import { once } from "node:events";
import { type Transferable, Worker } from "node:worker_threads";

/** From the thread, once it does its work. */
export const threadReady = "ready";
/** To the thread. */
export const threadStop = "stop";

export interface ChildThread {
  stop(): Promise<void>;
}

/** Rejects with the thread's own error where it does not start. */
export async function startThread(options: {
  readonly name: string;
  readonly module: URL;
  /** What the thread finds as its `workerData`. */
  readonly settings: object;
  /** Parts of the settings that go over to the thread. */
  readonly transfer?: Transferable[];
}): Promise<ChildThread> {
  const { name, module, settings, transfer = [] } = options;
  const thread = new Worker(module, {
    name,
    workerData: settings,
    transferList: transfer,
    // Flags of the main thread, a test runner's say, are no business of this one.
    execArgv: [],
  });
  const gone = new Promise<void>((resolve) => thread.once("exit", () => resolve()));
  await Promise.race([
    once(thread, "message"),
    gone.then(() => Promise.reject(new Error(`the thread ${name} ended while it started`))),
  ]);
  let isStopping = false;
  thread.on("error", (error) => {
    throw error;
  });
  thread.once("exit", (code) => {
    if (!isStopping) throw new Error(`the thread ${name} ended by itself (exit code ${code})`);
  });
  return {
    stop() {
      isStopping = true;
      thread.postMessage(threadStop);
      return gone;
    },
  };
}
