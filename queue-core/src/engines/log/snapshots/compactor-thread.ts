/**
 * The thread that makes snapshots and removes old files. Its protocol: compactor.ts; what it does: snapshot-merge.ts.
 */
import { getPriority, setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import { nodeDisk } from "../writing/disk.ts";
import { type CompactorJob, runJob } from "./compactor.ts";

const port = parentPort;
if (port === null) throw new Error("this module runs as a worker thread");

const niceness = 10;
// Whoever waits for a commit goes first. Linux gives each thread a priority of its own; elsewhere this would be the
// whole process's.
if (process.platform === "linux" && getPriority() < niceness) setPriority(niceness);

port.on("message", (job: CompactorJob) => {
  void runJob(nodeDisk, job, async () => {}).then((outcome) => port.postMessage(outcome));
});
