/** Waiting for a promise of somebody else's, who may not look at the signal that was given to him. */
import { QueueError } from "./errors.ts";

/** Settles as the promise does, or rejects with CLOSED once the signal is aborted, whatever the promise does. */
export function unlessAborted<V>(promise: Promise<V>, signal: AbortSignal): Promise<V> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(new QueueError("CLOSED", "the member stopped"));
    if (signal.aborted) aborted();
    signal.addEventListener("abort", aborted, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
  });
}
