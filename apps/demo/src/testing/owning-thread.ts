/** Stands for the main thread of a back end, so that a test survives its end: starts a thread as its settings say. */
import { workerData } from "node:worker_threads";
import { startThread } from "../child-thread.ts";

await startThread({
  name: "planned",
  module: new URL("./planned-thread.ts", import.meta.url),
  settings: workerData as object,
});
