/**
 * publish → process → reply: how many requests a second are stored, decided exactly once and answered, each step on
 * disk before the next. Every decision reads and writes the sale's counter, which all of them share, and a result.
 */
import type { Queue, Requester } from "../src/index.ts";
import { inOwnFolder, openLogQueue, type Purchase, purchase, purchaseTopic } from "./bed.ts";
import { inFlight } from "./in-flight.ts";
import { type BenchOptions, type BenchRow, median, percentile } from "./row.ts";

const width = 256;
const requests = 60_000;
const topic = { ...purchaseTopic("requests"), partitions: 4 };

interface Answer {
  readonly number: number;
  readonly count: number;
}

export function benchRoundTrip({ rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  return inOwnFolder("round-trip", async (directory) => {
    const queue = await openLogQueue(directory, [topic]);
    try {
      await startDeciding(queue);
      const requester = await queue.requester();
      const perSecond: number[] = [];
      const latenciesMs = new Float64Array(requests * (rounds + 1));
      for (let round = 0; round <= rounds; round++) {
        const own = latenciesMs.subarray(round * requests, (round + 1) * requests);
        const elapsedMs = await inFlight(requests, width, (n) => ask(requester, round * requests + n), own);
        perSecond.push((requests * 1000) / elapsedMs);
      }
      return [rowOf(perSecond.slice(1), latenciesMs.subarray(requests))];
    } finally {
      await queue.stop();
    }
  });
}

function rowOf(perSecond: readonly number[], latenciesMs: Float64Array): BenchRow {
  return {
    name: "publish → process → reply",
    unit: "round trips/s",
    ours: median(perSecond),
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    rounds: perSecond.length,
    bar: 40_000,
  };
}

async function ask(requester: Requester, number: number): Promise<void> {
  const value = purchase(number);
  const answer = await requester.send<Purchase, Answer>(topic, value, { timeoutMs: 10_000 }).reply;
  if (answer.number !== value.number) throw new Error(`request ${value.number} got the answer to ${answer.number}`);
}

async function startDeciding(queue: Queue): Promise<void> {
  await queue.process<Purchase>({
    group: "deciders",
    topic,
    keys: ({ sale, number }) => [`sale:${sale}`, `result:${number}`],
    decide: ({ value: { sale, number } }, state) => {
      if (state.get(`result:${number}`) !== undefined) return { reply: { number, count: 0 } };
      const count = (state.get<{ count: number }>(`sale:${sale}`)?.count ?? 0) + 1;
      return {
        writes: [
          { key: `sale:${sale}`, value: { count } },
          { key: `result:${number}`, value: { count }, expiresAfterMs: 60_000 },
        ],
        reply: { number, count } satisfies Answer,
      };
    },
  });
}
