/**
 * The thread that writes and syncs. Its protocol: batch-writer.ts and batch-exchange.ts; what it does:
 * segment-writer.ts. It sleeps in `take`, so that no turn of its event loop stands between a request and the disk.
 */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { BatchExchange } from "./batch-exchange.ts";
import type { FromWriterThread, ToWriterThread, WriterThreadData } from "./batch-writer.ts";
import { nodeDisk } from "./disk.ts";
import { SegmentWriter, type WriteOutcome } from "./segment-writer.ts";

const port = parentPort;
if (port === null) throw new Error("this module runs as a worker thread");

const { settings, memory } = workerData as WriterThreadData;
const writer = new SegmentWriter(nodeDisk, settings);
const exchange = new BatchExchange(memory);

const tell = (message: FromWriterThread): void => port.postMessage(message);

function answer(outcome: WriteOutcome): void {
  if (outcome.kind !== "written") tell({ kind: "outcome", outcome });
  else if (exchange.answerWritten()) tell({ kind: "written" });
}

/** False once it was asked to close. */
function serveMessage(message: ToWriterThread): boolean {
  if (message.kind === "close") {
    writer.close();
    return false;
  }
  if (message.kind === "make reserve") {
    tell({ kind: "reserve", isMade: writer.makeReserve() });
    return true;
  }
  const { buffer, byteOffset, length } = message.request.batch;
  answer(writer.write({ ...message.request, batch: Buffer.from(buffer as ArrayBuffer, byteOffset, length) }));
  return true;
}

tell({ kind: "ready" });
for (let isOpen = true; isOpen; ) {
  const request = exchange.take();
  if (request !== undefined) answer(writer.write(request));
  else isOpen = serveMessage(receiveMessageOnPort(port)?.message as ToWriterThread);
}
port.close();
