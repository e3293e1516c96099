/**
 * The life of a thread of the back end, seen from inside the thread. What it throws, at its start or later, is told
 * to the thread that started it; once stopped it ends by itself, since nothing holds it any more.
 */
import { flushCompileCache } from "node:module";
import { parentPort } from "node:worker_threads";
import { threadReady, threadStop } from "./child-thread.ts";

export async function hostThread(start: () => Promise<{ stop(): Promise<void> }>): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error("this module runs as a worker thread");
  const hosted = await start();
  port.on("message", async (message) => {
    if (message !== threadStop) return;
    await hosted.stop();
    port.close();
  });
  port.postMessage(threadReady);
  flushCompileCache();
}
