import { expect, test } from "vitest";
import { startWith } from "./stop-list.ts";

test("parts are stopped in reverse order, also where one of them fails to stop", async () => {
  const order: string[] = [];
  const { started, parts } = await startWith(async (list) => {
    list.add("first", async (name) => order.push(name));
    list.add("second", () => Promise.reject(new Error("will not stop")));
    return list.add("third", async (name) => order.push(name));
  });
  expect(started).toBe("third");
  await expect(parts.stop()).rejects.toThrow("will not stop");
  await parts.stop();
  expect(order).toEqual(["third", "first"]);
});

test("a start that fails stops what it had started, and tells its own error", async () => {
  const order: string[] = [];
  const start = startWith(async (list) => {
    list.add("first", async (name) => order.push(name));
    throw new Error("no luck");
  });
  await expect(start).rejects.toThrow("no luck");
  expect(order).toEqual(["first"]);
});
