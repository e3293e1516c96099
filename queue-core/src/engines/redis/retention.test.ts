/** Which messages go, and when. */
import { afterAll, describe, expect, it } from "vitest";
import { freshCell, hasRedis, redisTitle, sharedRedis, stopSharedRedis } from "../../../conformance/redis-bed.ts";
import { manualClock } from "../clock.ts";
import { until } from "./fault-bed.ts";
import { openRedisEngine } from "./open-redis-engine.ts";
import type { RedisRetention } from "./upkeep.ts";

const message = (n: number, topic = "t") => ({ topic, partition: 0, key: "k", value: Buffer.from(String(n)) });
const at = (group: string) => ({ group, topic: "t", partition: 0 });

describe.runIf(hasRedis)(`retention on ${redisTitle}`, () => {
  afterAll(stopSharedRedis);

  async function open(retention: RedisRetention) {
    const { url } = await sharedRedis();
    const clock = manualClock();
    const engine = await openRedisEngine({ address: { url }, cell: freshCell(), clock, retention });
    await engine.declareTopics([
      { name: "t", partitions: 1 },
      { name: "ring", partitions: 1, ringMessages: 1_000 },
    ]);
    return { engine, clock, [Symbol.asyncDispose]: () => engine.close() };
  }

  it("drops what is old once every known group has consumed it, and nothing else", async () => {
    await using bed = await open({ ms: 1_000 });
    const { engine, clock } = bed;
    for (let n = 0; n < 3_000; n += 100) {
      await engine.commit({ append: Array.from({ length: 100 }, (_, index) => message(n + index)) });
    }
    await engine.commit({ advance: { ...at("fast"), to: 3_000 } });
    await engine.commit({ advance: { ...at("slow"), to: 1_700 } });
    clock.advance(1_000);
    await engine.commit({ append: [message(3_000)] });
    await until(async () => (await engine.range("t", 0)).start === 1_700);
    expect((await engine.read("t", 0, 0, { maxMessages: 1 }))[0]?.offset).toBe(1_700);
    await engine.commit({ retire: { group: "slow", topic: "t" } });
    await until(async () => (await engine.range("t", 0)).start === 3_000);
    expect(await engine.range("t", 0)).toEqual({ start: 3_000, end: 3_001 });
    expect(await engine.committedOffset(at("late"))).toBe(3_000);
  });

  it("drops what is beyond the number that a partition may keep, however young", async () => {
    await using bed = await open({ messages: 50 });
    const { engine } = bed;
    await engine.commit({ append: Array.from({ length: 200 }, (_, n) => message(n)) });
    await engine.commit({ advance: { ...at("g"), to: 120 } });
    await until(async () => (await engine.range("t", 0)).start === 120);
    await engine.commit({ advance: { ...at("g"), to: 200 } });
    await until(async () => (await engine.range("t", 0)).start === 150);
  });

  it("empties a ring that nobody writes to any more", async () => {
    await using bed = await open({});
    const { engine, clock } = bed;
    await engine.commit({ append: Array.from({ length: 300 }, (_, n) => message(n, "ring")) });
    clock.advance(60_000);
    await engine.commit({ append: [message(300, "ring")] });
    await until(async () => (await engine.range("ring", 0)).start === 300);
    expect(await engine.range("ring", 0)).toEqual({ start: 300, end: 301 });
  });
});
