/**
 * How long a log with a million messages and 100,000 state entries takes from opening it to the first message that
 * is stored again; each time in a process of its own, as a restart is.
 */
import { type Engine, openLogEngine, stateNamespace } from "../src/index.ts";
import { fill, inOwnFolder, openLogQueue, purchase, purchaseTopic } from "./bed.ts";
import { inOwnProcess } from "./own-process.ts";
import { type BenchOptions, type BenchRow, median } from "./row.ts";
import { writeEntries } from "./state-entries.ts";

const messages = 1_000_000;
const entries = 100_000;
const topic = purchaseTopic("purchases");

export function benchRestart({ rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  return inOwnFolder("restart", async (directory) => {
    const engine = await openLogEngine({ directory });
    await prepare(engine);
    await engine.close();
    const startsMs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      startsMs.push(await inOwnProcess<number>(import.meta.url, "openAndPublish", directory));
    }
    return [{ name: "restart", unit: "ms", ours: median(startsMs), rounds, bar: 2_000, barIs: "at most" }];
  });
}

async function prepare(engine: Engine): Promise<void> {
  await engine.declareTopics([topic]);
  await fill(engine, topic, messages);
  await writeEntries(engine, stateNamespace("deciders", topic.name, 0), entries);
}

/** Runs in a process of its own. */
export async function openAndPublish(directory: string): Promise<number> {
  const startedMs = performance.now();
  const queue = await openLogQueue(directory, [topic]);
  await queue.publish(topic, purchase(0));
  const elapsedMs = performance.now() - startedMs;
  await queue.stop();
  return elapsedMs;
}
