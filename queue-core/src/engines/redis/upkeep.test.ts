/** What is told and done once a second, with several engines on one cell. */
import { afterAll, describe, expect, it } from "vitest";
import { freshCell, hasRedis, redisTitle, sharedRedis, stopSharedRedis } from "../../../conformance/redis-bed.ts";
import { manualClock } from "../clock.ts";
import { until } from "./fault-bed.ts";
import { openRedisEngine } from "./open-redis-engine.ts";
import type { RedisEngine } from "./redis-engine.ts";

const message = { topic: "t", partition: 0, key: "k", value: Buffer.from("m") };

describe.runIf(hasRedis)(`the upkeep of ${redisTitle}`, () => {
  afterAll(stopSharedRedis);

  async function openTwo(clock?: ReturnType<typeof manualClock>) {
    const { url } = await sharedRedis();
    const cell = freshCell();
    const open = (): Promise<RedisEngine> =>
      openRedisEngine({ address: { url }, cell, retention: { ms: 1_000 }, ...(clock === undefined ? {} : { clock }) });
    const engines = [await open(), await open()] as const;
    await engines[0].declareTopics([{ name: "t", partitions: 1 }]);
    await until(async () => engines[1].topic("t") !== undefined);
    return {
      engines,
      open,
      [Symbol.asyncDispose]: async () => void (await Promise.all(engines.map((e) => e.close()))),
    };
  }

  it("tells every engine how many round trips all of them made", async () => {
    await using bed = await openTwo();
    const [one, other] = bed.engines;
    for (let n = 0; n < 20; n++) await one.commit({ append: [message] });
    const made = one.redisStatistics().roundTrips;
    expect(made).toBeGreaterThanOrEqual(20);
    await until(async () => (other.statistics().roundTrips?.all ?? 0) >= made);
  });

  it("sends what many ask for at once in one round trip", async () => {
    await using bed = await openTwo();
    const [one] = bed.engines;
    const before = one.redisStatistics();
    await Promise.all([
      ...Array.from({ length: 50 }, (_, n) => one.commit({ append: [{ ...message, key: `${n}` }] })),
      ...Array.from({ length: 50 }, (_, n) => one.readState("n", [`${n}`])),
      one.range("t", 0),
    ]);
    const after = one.redisStatistics();
    expect(after.reads - before.reads).toBe(2);
    // One for all commits, and what the upkeep may have asked meanwhile.
    expect(after.calls - before.calls).toBeLessThanOrEqual(4);
  });

  it("goes on dropping old messages when the engine that did is gone", async () => {
    const clock = manualClock();
    await using bed = await openTwo(clock);
    const [one, other] = bed.engines;
    const drops = async (upTo: number) => {
      await other.commit({ append: [message] });
      await other.commit({ advance: { group: "g", topic: "t", partition: 0, to: upTo } });
      clock.advance(4_000);
      await until(async () => (await other.range("t", 0)).start === upTo);
    };
    await drops(1);
    await one.close();
    await drops(2);
  });
});
