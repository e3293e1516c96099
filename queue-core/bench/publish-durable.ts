/**
 * How many messages a second become durable, with real syncs: 256 in flight, each awaited by its own publisher.
 *
 * Rounds run on growing logs, as a day's load would. The engine alone is measured beside the whole library, in
 * turn: the difference is what key, codec, backlog and the publisher's promises cost.
 */
import { type Engine, openLogEngine, type Queue } from "../src/index.ts";
import { inOwnFolder, messageBytes, openLogQueue, purchase, purchaseTopic } from "./bed.ts";
import { inFlight } from "./in-flight.ts";
import { type BenchOptions, type BenchRow, median, percentile } from "./row.ts";

const width = 256;
const messages = 200_000;
const topic = purchaseTopic("purchases");

export function benchPublishDurable({ rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  return inOwnFolder("publish-durable", async (folder) => {
    const queue = await openLogQueue(`${folder}/library`, [topic]);
    const engine = await openLogEngine({ directory: `${folder}/engine` });
    await engine.declareTopics([topic]);
    try {
      const library: Round[] = [];
      const alone: Round[] = [];
      for (let round = 0; round <= rounds; round++) {
        library.push(await throughLibrary(queue));
        alone.push(await throughEngine(engine));
      }
      return rowsOf(library.slice(1), alone.slice(1));
    } finally {
      await queue.stop();
      await engine.close();
    }
  });
}

interface Round {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

async function throughLibrary(queue: Queue): Promise<Round> {
  const latenciesMs = new Float64Array(messages);
  return roundOf(await inFlight(messages, width, (n) => queue.publish(topic, purchase(n)), latenciesMs), latenciesMs);
}

const value = Buffer.alloc(messageBytes, "a message of two hundred and thirty bytes ");

async function throughEngine(engine: Engine): Promise<Round> {
  const latenciesMs = new Float64Array(messages);
  const publish = (number: number): Promise<unknown> =>
    engine.commit({
      append: [{ topic: topic.name, partition: number % topic.partitions, key: `user-${number}`, value }],
    });
  return roundOf(await inFlight(messages, width, publish, latenciesMs), latenciesMs);
}

function roundOf(elapsedMs: number, latenciesMs: Float64Array): Round {
  const perSecond = (messages * 1000) / elapsedMs;
  return { perSecond, p50Ms: percentile(latenciesMs, 0.5), p99Ms: percentile(latenciesMs, 0.99) };
}

function rowsOf(library: readonly Round[], alone: readonly Round[]): readonly BenchRow[] {
  const shared = { unit: "messages/s", rounds: library.length };
  const row = (name: string, sampled: readonly Round[]) => ({
    ...shared,
    name,
    ours: median(sampled.map(({ perSecond }) => perSecond)),
    p50Ms: median(sampled.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(sampled.map(({ p99Ms }) => p99Ms)),
  });
  const whole = row("publish-durable", library);
  return [
    { ...whole, bar: 100_000 },
    { name: "publish-durable, p99", unit: "ms", ours: whole.p99Ms, rounds: shared.rounds, bar: 10, barIs: "at most" },
    row("publish-durable, engine alone", alone),
  ];
}
