/**
 * What a backlog of a million messages costs: publishing and handling live, in a log where another group is a
 * million messages behind, against an empty log; and the memory of a process that holds such a log.
 */
import { join } from "node:path";
import type { Queue } from "../src/index.ts";
import { fill, inOwnFolder, openLogQueue, purchase, purchaseTopic } from "./bed.ts";
import { type CountingMember, joinCounting } from "./counting-member.ts";
import { inFlight } from "./in-flight.ts";
import { growthMB, memoryAtRest } from "./memory.ts";
import { inOwnProcess } from "./own-process.ts";
import { type BenchOptions, type BenchRow, median, ratioOfRounds } from "./row.ts";

const backlog = 1_000_000;
const perRound = 20_000;
const topic = purchaseTopic("purchases");

interface Costs {
  readonly withBacklog: readonly number[];
  readonly without: readonly number[];
}

/** Rounds are short and many, since 5 % is less than what the rest of the machine does to one of them. */
export function benchBacklog({ rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  return inOwnFolder("backlog", async (directory) => {
    const pairs = rounds * 5;
    const job = { directory, pairs };
    const { withBacklog, without } = await inOwnProcess<Costs>(import.meta.url, "measureCosts", job);
    const grownMB = await inOwnProcess<number>(import.meta.url, "measureMemory", join(directory, "memory"));
    return [
      {
        name: "backlog of 1 million, cost per message",
        unit: "µs",
        ours: (median(withBacklog) * 1000) / perRound,
        theirs: (median(without) * 1000) / perRound,
        ratio: ratioOfRounds(withBacklog, without),
        rounds: pairs,
        bar: 1.05,
        barIs: "at most",
        note: "backlog: theirs is the same queue without one",
      },
      { name: "backlog of 1 million, memory", unit: "MB", ours: grownMB, rounds: 1, bar: 300, barIs: "at most" },
    ];
  });
}

/** Runs in a process of its own. */
export async function measureCosts(job: { directory: string; pairs: number }): Promise<Costs> {
  const empty = await Log.open(join(job.directory, "empty"));
  const full = await Log.open(join(job.directory, "full"));
  try {
    await full.fallBehind();
    const withBacklog: number[] = [];
    const without: number[] = [];
    for (let pair = 0; pair <= job.pairs; pair++) {
      withBacklog.push(await full.round());
      without.push(await empty.round());
    }
    return { withBacklog: withBacklog.slice(1), without: without.slice(1) };
  } finally {
    await empty.queue.stop();
    await full.queue.stop();
  }
}

/** Runs in a process of its own: MB by which it grew from an open log to one with the backlog. */
export async function measureMemory(directory: string): Promise<number> {
  const log = await Log.open(directory);
  try {
    const before = await memoryAtRest();
    await log.fallBehind();
    await log.round();
    return growthMB(before, await memoryAtRest());
  } finally {
    await log.queue.stop();
  }
}

/** A queue with one group that keeps up, and one that can be left behind. */
class Log {
  readonly queue: Queue;
  readonly #member: CountingMember;
  #published = 0;

  static async open(directory: string): Promise<Log> {
    const queue = await openLogQueue(directory, [topic]);
    const slow = await joinCounting(queue, topic, "slow");
    await slow.stop();
    return new Log(queue, await joinCounting(queue, topic, "live"));
  }

  private constructor(queue: Queue, member: CountingMember) {
    this.queue = queue;
    this.#member = member;
  }

  async fallBehind(): Promise<void> {
    await fill(this.queue.engine, topic, backlog);
    this.#published += backlog;
    await this.#member.handled(this.#published);
  }

  /** Elapsed ms. */
  async round(): Promise<number> {
    const first = this.#published;
    this.#published += perRound;
    const startedMs = performance.now();
    await inFlight(perRound, 256, (number) => this.queue.publish(topic, purchase(first + number)));
    await this.#member.handled(this.#published);
    return performance.now() - startedMs;
  }
}
