/** The thread that sends a spike: away from the one that answers, and behind it where both want the same core. */
import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { type Load, SpikeLoad } from "./spike-load.ts";

const tellEveryMs = 250;
/** As `nice` counts; see the consumers' thread. */
const niceness = 5;

const load = new SpikeLoad(workerData as Load);
if (process.platform === "linux") setPriority(niceness);
const telling = setInterval(() => parentPort?.postMessage(load.progress), tellEveryMs);
parentPort?.once("message", () => load.stop());
await load.run();
clearInterval(telling);
parentPort?.postMessage(load.progress);
parentPort?.close();
