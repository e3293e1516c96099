/**
 * Plays spikes in a thread of their own, one for each.
 *
 * What can go wrong: the thread dies; then the spike failed, and nothing else did.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { SpikePlayer } from "@plateau/gateway";
import type { Progress } from "./spike-load.ts";

const endWithinMs = 1_000;

export const threadPlayer: SpikePlayer = {
  play(load, onProgress) {
    const thread = new Worker(new URL("./spike-thread.ts", import.meta.url), {
      name: "spike",
      workerData: load,
      // Flags of the main thread, a test runner's say, are no business of this one.
      execArgv: [],
    });
    thread.on("message", (progress: Progress) => onProgress(progress));
    const ended = once(thread, "exit").then(([code]: unknown[]) => {
      if (code !== 0) throw new Error(`the spike's thread ended with exit code ${code}`);
    });
    // Who stops it waits for the exit; only who plays it hears how it ended.
    ended.catch(() => undefined);
    return {
      played: ended,
      async stop() {
        thread.postMessage("stop");
        const late = setTimeout(() => void thread.terminate(), endWithinMs);
        await ended.catch(() => undefined);
        clearTimeout(late);
      },
    };
  },
};
