/**
 * How many messages a second the log engine makes durable, with real syncs: 256 in flight, 230 bytes each.
 *
 * A round is a fixed number of commits of one message; rounds run on one growing log, as a day's load would, after
 * one that is not counted. Throughput is the median of the rounds, latencies are those of all rounds together.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine } from "../src/engine.ts";
import { openLogEngine } from "../src/engines/log/open-log-engine.ts";

export interface PublishDurableResult {
  readonly name: "publish-durable";
  readonly unit: "messages/s";
  readonly ours: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly rounds: number;
}

export interface PublishDurableOptions {
  /** At least 5 for a figure that is published; default 5. */
  readonly rounds?: number;
  /** Default 200,000. */
  readonly messagesPerRound?: number;
  /** Where the log lies, on the disk that is measured; default the system's temporary folder. */
  readonly parentDirectory?: string;
}

const inFlight = 256;
const partitions = 8;
const value = Buffer.alloc(230, "a message of two hundred and thirty bytes ");

export async function benchPublishDurable(options: PublishDurableOptions = {}): Promise<PublishDurableResult> {
  const { rounds = 5, messagesPerRound = 200_000, parentDirectory = tmpdir() } = options;
  const directory = mkdtempSync(join(parentDirectory, "publish-durable-"));
  try {
    const engine = await openLogEngine({ directory });
    await engine.declareTopics([{ name: "purchases", partitions }]);
    const rates: number[] = [];
    const latencies = new Float64Array(rounds * messagesPerRound);
    await round(engine, messagesPerRound, new Float64Array(messagesPerRound));
    for (let index = 0; index < rounds; index++) {
      const from = index * messagesPerRound;
      rates.push(await round(engine, messagesPerRound, latencies.subarray(from, from + messagesPerRound)));
    }
    await engine.close();
    rates.sort((left, right) => left - right);
    latencies.sort();
    const at = (sorted: ArrayLike<number>, share: number) => sorted[Math.floor(sorted.length * share)] as number;
    return {
      name: "publish-durable",
      unit: "messages/s",
      ours: Math.round(at(rates, 0.5)),
      p50Ms: at(latencies, 0.5),
      p99Ms: at(latencies, 0.99),
      rounds,
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Messages per second. */
async function round(engine: Engine, messages: number, latenciesMs: Float64Array): Promise<number> {
  let next = 0;
  const publishUntilDone = async () => {
    while (next < messages) {
      const number = next++;
      const startedMs = performance.now();
      await engine.commit({
        append: [{ topic: "purchases", partition: number % partitions, key: `user-${number}`, value }],
      });
      latenciesMs[number] = performance.now() - startedMs;
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: inFlight }, publishUntilDone));
  return (messages * 1000) / (performance.now() - startedMs);
}
