/** A thread for the tests that does as its settings say. */
import { MessageChannel, workerData } from "node:worker_threads";
import { hostThread } from "../hosted-thread.ts";

export interface PlannedThreadSettings {
  readonly plan: "work" | "fail to start" | "end while starting" | "throw later" | "end later";
}

const { plan } = workerData as PlannedThreadSettings;

await hostThread(async () => {
  if (plan === "fail to start") throw new RangeError("no place to work at");
  if (plan === "end while starting") process.exit(3);
  // Holds the thread until it is stopped, as open connections do.
  const { port1 } = new MessageChannel();
  port1.ref();
  if (plan === "throw later") setImmediate(() => fail(new RangeError("broken at work")));
  if (plan === "end later") setImmediate(() => process.exit(3));
  return { stop: async () => port1.close() };
});

function fail(error: Error): never {
  throw error;
}
