/** A group member that does nothing but count what it is handed. */
import { done, type Queue, type Topic } from "../src/index.ts";
import type { Purchase } from "./bed.ts";

export interface CountingMember {
  /** Resolves once it was handed that many messages since it joined; rejects where it was handed more. */
  handled(total: number): Promise<void>;
  stop(): Promise<void>;
}

export async function joinCounting(queue: Queue, topic: Topic<Purchase>, group: string): Promise<CountingMember> {
  let count = 0;
  let look = (): void => undefined;
  const member = await queue.consume<Purchase>({
    group,
    topic,
    maxBatch: 512,
    handle: async (batch) => {
      count += batch.length;
      look();
      return done;
    },
  });
  return {
    handled: (total) =>
      new Promise((resolve, reject) => {
        look = () => {
          if (count === total) resolve();
          if (count > total) reject(new Error(`group ${group} was handed ${count} messages where there are ${total}`));
        };
        look();
      }),
    stop: () => member.stop(),
  };
}

/** Elapsed ms until new groups of these names have each handled the whole topic, which holds `messages`. */
export async function drain(
  queue: Queue,
  topic: Topic<Purchase>,
  groups: readonly string[],
  messages: number,
): Promise<number> {
  const startedMs = performance.now();
  const members = await Promise.all(groups.map((group) => joinCounting(queue, topic, group)));
  await Promise.all(members.map((member) => member.handled(messages)));
  const elapsedMs = performance.now() - startedMs;
  await Promise.all(members.map((member) => member.stop()));
  return elapsedMs;
}
