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
  let hint: number | undefined;
  for (let to = 1; to <= 10; to++) {
    clock.advance(200);
    await engine.commit({ advance: { group: "slow", topic: "bounded", partition: 0, to } });
    await offered();
    hint = await offered();
  }
  // One message in 200 ms was drained; rounded up to whole ms.
  expect(hint).toBeGreaterThanOrEqual(200);
  expect(hint).toBeLessThanOrEqual(201);
  await queue.stop();
});
