/** What a SeedThread runs: each message is a seed, each answer its results. */
import { parentPort, workerData } from "node:worker_threads";
import { runSeed } from "./simulations.ts";

parentPort?.on("message", (seed: string) => {
  runSeed(seed, "hash", workerData as readonly string[]).then((result) => parentPort?.postMessage(result));
});
