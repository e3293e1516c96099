import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { startThread } from "./child-thread.ts";
import type { PlannedThreadSettings } from "./testing/planned-thread.ts";

const start = (plan: PlannedThreadSettings["plan"]) => {
  const settings: PlannedThreadSettings = { plan };
  return startThread({ name: "planned", module: new URL("./testing/planned-thread.ts", import.meta.url), settings });
};

/** What the main thread of a back end would die of, where it starts such a thread. */
async function endOfOwner(plan: PlannedThreadSettings["plan"]): Promise<Error> {
  const settings: PlannedThreadSettings = { plan };
  const module = new URL("./testing/owning-thread.ts", import.meta.url);
  const owner = new Worker(module, { workerData: settings, execArgv: [] });
  const [error] = (await once(owner, "message").catch((thrown: unknown) => [thrown])) as [Error];
  return error;
}

test("a thread that works is gone, with what it held open, once it was stopped", async () => {
  const thread = await start("work");
  await thread.stop();
});

test.each([
  ["fail to start", "no place to work at"],
  ["end while starting", "the thread planned ended while it started"],
] as const)("a thread that should %s is a start that rejects", async (plan, message) => {
  await expect(start(plan)).rejects.toThrow(message);
});

test.each([
  ["throw later", "broken at work"],
  ["end later", "the thread planned ended by itself (exit code 3)"],
] as const)("a thread that should %s takes the thread that started it with it", async (plan, message) => {
  expect((await endOfOwner(plan)).message).toBe(message);
});
