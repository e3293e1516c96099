import { createMemoryEngine } from "queue-core";
import { expect, test } from "vitest";
import { logIdOf } from "./log-id.ts";

test("a log keeps the id it was given first, and another log has another", async () => {
  const [one, other] = [createMemoryEngine(), createMemoryEngine()];
  const [first, ...again] = await Promise.all([logIdOf(one), logIdOf(one), logIdOf(one)]);
  expect(new Set([...again, await logIdOf(one)])).toEqual(new Set([first]));
  expect(await logIdOf(other)).not.toBe(first);
});
