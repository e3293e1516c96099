/** The floor under every durable queue: a thread that writes and syncs, one after the other, and does nothing else. */
import { closeSync, fdatasyncSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { parentPort } from "node:worker_threads";

export interface BareJob {
  readonly path: string;
  /** Where in the file it begins. */
  readonly position: number;
  readonly bytes: number;
  readonly writes: number;
  /** Of a hole behind `position`, in which is written; 0: the file grows with each write. */
  readonly holeBytes: number;
}

export interface BareAnswer {
  /** Of each write with its sync. */
  readonly timesMs: Float64Array;
}

const port = parentPort;
if (port === null) throw new Error("this module runs as a worker thread");

port.on("message", ({ path, position, bytes, writes, holeBytes }: BareJob) => {
  const file = openSync(path, position === 0 ? "w" : "r+");
  if (holeBytes > 0) ftruncateSync(file, position + holeBytes);
  const batch = Buffer.alloc(bytes, "x");
  const timesMs = new Float64Array(writes);
  for (let written = 0; written < writes; written++) {
    const startedMs = performance.now();
    writeSync(file, batch, 0, bytes, position + written * bytes);
    fdatasyncSync(file);
    timesMs[written] = performance.now() - startedMs;
  }
  const answer: BareAnswer = { timesMs };
  closeSync(file);
  port.postMessage(answer);
});
