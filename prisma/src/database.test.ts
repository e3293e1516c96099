import { once } from "node:events";
import { createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { openDatabase } from "./database.ts";
import { isConnectionLost, isDatabaseError } from "./database-errors.ts";

it("gives up a connection on which nothing comes, and says that the database could not be asked", async () => {
  const silent = createServer((socket) => socket.on("error", () => undefined).resume());
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as { port: number };
  const db = openDatabase(`postgresql://u:p@127.0.0.1:${port}/x`, { connectTimeoutMs: 0, silentMs: 50 });
  const error: unknown = await db.user.count().catch((reason: unknown) => reason);
  expect([isConnectionLost(error), isDatabaseError(error)]).toEqual([true, true]);
  await db.$disconnect();
});

it.each(["Connection terminated unexpectedly", "timeout exceeded when trying to connect"])(
  "takes the driver's own words for a lost connection: %s",
  (words) => {
    expect(isDatabaseError(new Error(words))).toBe(true);
    expect(isDatabaseError(new Error(`a bug of ours: ${words}`))).toBe(false);
  },
);
