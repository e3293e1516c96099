/**
 * What follows an accepted purchase, off the shopper's way: order, SMS and statistics, each a group of its own that
 * reads the same topic at its own pace (服务解耦). A fourth one would change nothing here.
 *
 * What can go wrong: a message comes twice, for a consumer died between its work and its offset. The steps do their
 * work for a purchase once, so the second time changes nothing. A step that is down holds up nobody but its own group.
 */
import { defineTopic, done, type Message, type Queue, type Topic } from "queue-core";
import type { Steps } from "./steps.ts";
import type { Purchase } from "./way.ts";

export const accepted = defineTopic<Purchase>({ name: "accepted", partitions: 2, keyOf: ({ id }) => id });

/** What costs a commit is done for many at once: at most so often in a second, however many come. */
const gathered = { maxBatch: 500, lingerMs: 100 };
const smsAtOnce = 16;

export interface FollowUp {
  /** Steps still to be done. */
  left(): Promise<number>;
}

/** Runs until the queue stops. */
export async function followUp(queue: Queue, steps: Steps): Promise<FollowUp> {
  const groups: readonly [string, { maxBatch: number; lingerMs?: number }, (all: Purchase[]) => Promise<unknown>][] = [
    ["order", gathered, (all) => steps.writesOrders(all)],
    ["sms", { maxBatch: smsAtOnce }, (all) => Promise.all(all.map((purchase) => steps.sendsSms(purchase)))],
    ["statistics", gathered, (all) => steps.counts(all)],
  ];
  for (const [group, batching, step] of groups) {
    const handle = async (batch: readonly Message<Purchase>[]) => {
      await step(batch.map(({ value }) => value));
      return done;
    };
    await queue.consume({ group, topic: accepted, ...batching, handle });
  }
  return {
    async left() {
      const lags = await Promise.all(
        groups.map(([group]) => queue.groupStatistics(group, accepted as Topic<never> as Topic<unknown>)),
      );
      return lags.flat().reduce((sum, { lagMessages }) => sum + lagMessages, 0);
    },
  };
}
