/**
 * What eight groups on the same messages cost against one: publishing the messages once and handling them all
 * meanwhile, and working off a backlog, where nothing but the groups' own work is counted.
 */
import { openLogEngine, type Queue, type Topic } from "../src/index.ts";
import { fill, inOwnFolder, openLogQueue, type Purchase, purchase, purchaseTopic } from "./bed.ts";
import { type CountingMember, drain, joinCounting } from "./counting-member.ts";
import { inFlight } from "./in-flight.ts";
import { type BenchOptions, type BenchRow, median } from "./row.ts";

const groups = 8;
const live = 50_000;
const backlog = 100_000;
const stored = purchaseTopic("stored");

export function benchFanOut({ rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  return inOwnFolder("fan-out", async (directory) => {
    const engine = await openLogEngine({ directory });
    await engine.declareTopics([stored]);
    await fill(engine, stored, backlog);
    await engine.close();
    const [toOne, toEight] = [purchaseTopic("to-one"), purchaseTopic("to-eight")];
    const queue = await openLogQueue(directory, [toOne, toEight, stored]);
    try {
      const one = await LiveGroups.join(queue, toOne, 1);
      const eight = await LiveGroups.join(queue, toEight, groups);
      const liveCosts: number[] = [];
      const backlogCosts: number[] = [];
      for (let round = 0; round <= rounds; round++) {
        const liveOne = await one.publishAndHandle();
        liveCosts.push((await eight.publishAndHandle()) / liveOne);
        const drainedByOne = await drain(queue, stored, names(1, round), backlog);
        backlogCosts.push((await drain(queue, stored, names(groups, round), backlog)) / drainedByOne);
      }
      return [
        rowOf("fan-out to 8 groups", liveCosts.slice(1)),
        rowOf("fan-out to 8 groups, from a backlog", backlogCosts.slice(1)),
      ];
    } finally {
      await queue.stop();
    }
  });
}

const names = (count: number, round: number) =>
  Array.from({ length: count }, (_, index) => `${count}-${index}-${round}`);

function rowOf(name: string, costs: readonly number[]): BenchRow {
  return { name, unit: "× one group", ours: median(costs), rounds: costs.length, bar: groups, barIs: "at most" };
}

class LiveGroups {
  readonly #queue: Queue;
  readonly #topic: Topic<Purchase>;
  readonly #members: readonly CountingMember[];
  #published = 0;

  static async join(queue: Queue, topic: Topic<Purchase>, count: number): Promise<LiveGroups> {
    const members = names(count, 0).map((name) => joinCounting(queue, topic, `live-${name}`));
    return new LiveGroups(queue, topic, await Promise.all(members));
  }

  private constructor(queue: Queue, topic: Topic<Purchase>, members: readonly CountingMember[]) {
    this.#queue = queue;
    this.#topic = topic;
    this.#members = members;
  }

  /** Elapsed ms until every group has handled the messages of this round. */
  async publishAndHandle(): Promise<number> {
    const first = this.#published;
    this.#published += live;
    const startedMs = performance.now();
    await inFlight(live, 256, (number) => this.#queue.publish(this.#topic, purchase(first + number)));
    await Promise.all(this.#members.map((member) => member.handled(this.#published)));
    return performance.now() - startedMs;
  }
}
