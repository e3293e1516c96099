import { expect, it } from "vitest";
import { createMemoryEngine, defineTopic, manualClock, openQueue, type QueueError } from "./index.ts";

const topic = defineTopic<string>({ name: "bounded", partitions: 1, keyOf: () => "k", backlog: { maxMessages: 10 } });

it("tells by the rate at which the slowest group drains the backlog when to come again", async () => {
  const clock = manualClock();
  const engine = createMemoryEngine({ clock });
  const queue = await openQueue({ engine, topics: [topic] });
  const member = await queue.process({ group: "slow", topic, keys: () => [], decide: () => ({}) });
  await member.stop();
  for (let n = 0; n < 10; n++) await queue.publish(topic, "fills it");
  const offered = () =>
    queue.publish(topic, "one more").then(
      () => undefined,
      (error: QueueError) => error.retryAfterMs,
    );
  expect(await offered()).toBe(1_000);
  const drain = async (to: number) => {
    clock.advance(200);
    await engine.commit({ advance: { group: "slow", topic: "bounded", partition: 0, to } });
  };
  await drain(1);
  // One message in 200 ms was drained, and one more brings the backlog down to its low mark of 8.
  expect(await offered()).toBe(200);
  await drain(2);
  expect(await offered()).toBeUndefined();
  expect(await offered()).toBeUndefined();
  // Rounded up to whole ms.
  expect([400, 401]).toContain(await offered());
  await queue.stop();
});
