/** What a SeedThread runs: each message is a seed, each answer its result. */
import { parentPort } from "node:worker_threads";
import { simulateSale } from "./sale/simulate-sale.ts";

parentPort?.on("message", (seed: string) => {
  simulateSale({ seed }).then((result) => parentPort?.postMessage(result));
});
