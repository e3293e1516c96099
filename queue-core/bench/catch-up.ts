/**
 * How fast a new group works off a backlog that was there when the process started: `consume` with batches, every
 * message read from segment files, decoded and handled. The files are in the page cache, as a backlog of minutes is.
 */
import { openLogEngine } from "../src/index.ts";
import { fill, inOwnFolder, openLogQueue, purchaseTopic } from "./bed.ts";
import { drain } from "./counting-member.ts";
import { type BenchOptions, type BenchRow, median } from "./row.ts";

const messages = 400_000;
const topic = purchaseTopic("purchases");

export function benchCatchUp({ rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  return inOwnFolder("catch-up", async (directory) => {
    const engine = await openLogEngine({ directory });
    await engine.declareTopics([topic]);
    await fill(engine, topic, messages);
    await engine.close();
    const queue = await openLogQueue(directory, [topic]);
    try {
      const perSecond: number[] = [];
      for (let round = 0; round <= rounds; round++) {
        const elapsedMs = await drain(queue, topic, [`round-${round}`], messages);
        perSecond.push((messages * 1000) / elapsedMs);
      }
      return [{ name: "catch-up", unit: "messages/s", ours: median(perSecond.slice(1)), rounds, bar: 300_000 }];
    } finally {
      await queue.stop();
    }
  });
}
