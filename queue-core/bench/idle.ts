/**
 * The processor time of a queue in which nothing happens: members of six groups, requesters, delayed messages that
 * are not due, a half-message publisher; timers alone are at work.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { inOwnFolder, openLogQueue, purchase, purchaseTopic } from "./bed.ts";
import { joinCounting } from "./counting-member.ts";
import { inOwnProcess } from "./own-process.ts";
import { type BenchOptions, type BenchRow, median } from "./row.ts";

const windowMs = 5_000;

export function benchIdle({ rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  return inOwnFolder("idle", async (directory) => {
    const shares = await inOwnProcess<readonly number[]>(import.meta.url, "measureIdle", { directory, rounds });
    const name = "idle processor time";
    return [{ name, unit: "% of a core", ours: median(shares) * 100, rounds, bar: 1, barIs: "at most" }];
  });
}

/** Runs in a process of its own. Shares of one core. */
export async function measureIdle(job: { directory: string; rounds: number }): Promise<readonly number[]> {
  const topics = ["requests", "commands", "events"].map(purchaseTopic);
  const queue = await openLogQueue(job.directory, topics);
  try {
    for (const topic of topics) {
      await joinCounting(queue, topic, "first");
      await queue.process({ group: "second", topic, keys: () => [], decide: () => ({}) });
      await queue.transactional({ group: "sender", topic, checkBack: async () => "unknown" });
      for (let n = 0; n < 100; n++) await queue.publish(topic, purchase(n), { delayMs: 3_600_000 });
    }
    await queue.requester();
    await queue.requester();
    await sleep(1_000);
    const shares: number[] = [];
    for (let round = 0; round < job.rounds; round++) {
      const before = process.cpuUsage();
      await sleep(windowMs);
      const { user, system } = process.cpuUsage(before);
      shares.push((user + system) / 1000 / windowMs);
    }
    return shares;
  } finally {
    await queue.stop();
  }
}
