/** What a SeedThread runs: each message is a seed, each answer its results. */
import { parentPort, workerData } from "node:worker_threads";
import { runSeed } from "./simulations.ts";

// Errors are a usual answer here, and their stacks took 4 % of the time. Run a seed again by itself to see them.
Error.stackTraceLimit = 0;

parentPort?.on("message", (seed: string) => {
  runSeed(seed, "hash", workerData as readonly string[]).then((result) => parentPort?.postMessage(result));
});
