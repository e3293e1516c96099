/** queue-core on its log engine, by its public API: every publish is awaited by its own publisher. */
import { join } from "node:path";
import { done, type Queue } from "queue-core";
import { openLogQueue, type Purchase, purchase, purchaseTopic } from "../../../queue-core/bench/bed.ts";
import { inFlight } from "../../../queue-core/bench/in-flight.ts";
import { HandledCount, publishersInFlight, type Rival } from "./rival.ts";

const stored = purchaseTopic("stored");
const consumed = purchaseTopic("consumed");

export async function openOurQueue(folder: string): Promise<Rival> {
  const queue: Queue = await openLogQueue(join(folder, "queue-core"), [stored, consumed]);
  const handled = new HandledCount();
  await queue.consume<Purchase>({
    group: "consumer",
    topic: consumed,
    maxBatch: 256,
    handle: async (batch) => {
      handled.add(batch.length);
      return done;
    },
  });
  return {
    name: "queue-core",
    durability: "synced to disk",
    messagesPerRound: 100_000,
    publish: (first, count) =>
      inFlight(count, publishersInFlight, (number) => queue.publish(stored, purchase(first + number))),
    async publishAndConsume(first, count) {
      const startedMs = performance.now();
      const all = handled.next(count);
      await inFlight(count, publishersInFlight, (number) => queue.publish(consumed, purchase(first + number)));
      await all;
      return performance.now() - startedMs;
    },
    stop: () => queue.stop(),
  };
}
