import { expect, it } from "vitest";
import { ManualTimers } from "../conformance/queue-bed.ts";
import { manualClock } from "./index.ts";
import { PendingReplies } from "./pending-replies.ts";

function pendingReplies() {
  const clock = manualClock();
  const timers = new ManualTimers(clock);
  const late: string[] = [];
  const pending = new PendingReplies(
    timers,
    () => clock.wallMs(),
    ({ correlationId }) => late.push(correlationId),
  );
  const add = (correlationId: string, timeoutMs: number) =>
    pending.add({ correlationId, resolve: () => undefined, reject: () => undefined }, timeoutMs);
  return { timers, late, pending, add };
}

it("requests time out each at its own time, whatever the order in which they came and were answered", () => {
  const { timers, late, pending, add } = pendingReplies();
  add("a", 100);
  add("b", 50);
  timers.advance(20);
  add("c", 100);
  add("d", 100);
  expect(pending.take("c")?.correlationId).toBe("c");
  expect(pending.take("c")).toBeUndefined();
  timers.advance(30);
  expect(late).toEqual(["b"]);
  timers.advance(50);
  expect(late).toEqual(["b", "a"]);
  timers.advance(19);
  expect(pending.size).toBe(1);
  timers.advance(1);
  expect(late).toEqual(["b", "a", "d"]);
  expect([pending.size, timers.pending]).toEqual([0, 0]);
});

it("a thousand requests with one timeout need one timer, and none once all were taken", () => {
  const { timers, pending, add } = pendingReplies();
  for (let n = 0; n < 1_000; n++) add(String(n), 2_000);
  expect(timers.pending).toBe(1);
  expect(pending.takeAll()).toHaveLength(1_000);
  expect(timers.pending).toBe(0);
});
