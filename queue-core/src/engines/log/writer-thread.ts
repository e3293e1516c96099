/**
 * The thread that writes and syncs. Its protocol: batch-writer.ts; what it does: segment-writer.ts.
 */
import { parentPort, workerData } from "node:worker_threads";
import type { FromWriterThread, ToWriterThread } from "./batch-writer.ts";
import { nodeDisk } from "./disk.ts";
import { SegmentWriter, type SegmentWriterSettings } from "./segment-writer.ts";

const port = parentPort;
if (port === null) throw new Error("this module runs as a worker thread");

const writer = new SegmentWriter(nodeDisk, workerData as SegmentWriterSettings);

port.on("message", (message: ToWriterThread) => {
  if (message.kind === "close") {
    writer.close();
    port.close();
    return;
  }
  if (message.kind === "make reserve") {
    const reply: FromWriterThread = { kind: "reserve", isMade: writer.makeReserve() };
    port.postMessage(reply);
    return;
  }
  const { buffer, byteOffset, length } = message.request.batch;
  const batch = Buffer.from(buffer as ArrayBuffer, byteOffset, length);
  const outcome = writer.write({ ...message.request, batch });
  const reply: FromWriterThread = { kind: "outcome", outcome, batch };
  port.postMessage(reply, [buffer as ArrayBuffer]);
});

const ready: FromWriterThread = { kind: "ready" };
port.postMessage(ready);
