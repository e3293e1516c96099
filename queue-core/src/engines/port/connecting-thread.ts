/** A thread for the tests: connects, commits, reads, tells what it saw, closes, and must then end by itself. */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { connectEngine } from "./connect-engine.ts";

export interface Seen {
  readonly timeMs: number;
  readonly nowMs: number;
  readonly text: string | undefined;
}

const engine = await connectEngine(workerData as MessagePort);
const { timeMs } = await engine.commit({
  append: [{ topic: "orders", partition: 0, key: "k", value: Buffer.from("from a thread") }],
});
const nowMs = engine.now();
const [message] = await engine.read("orders", 0, 0, { maxMessages: 1 });
const seen: Seen = { timeMs, nowMs, text: message?.value.toString() };
parentPort?.postMessage(seen);
await engine.close();
