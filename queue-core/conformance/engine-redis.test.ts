import { afterAll, describe } from "vitest";
import { type ManualClock, manualClock } from "../src/engines/clock.ts";
import { openRedisEngine } from "../src/engines/redis/index.ts";
import type { EngineHarness } from "./engine-harness.ts";
import { engineConformance } from "./engine-suite.ts";
import { freshCell, hasRedis, redisTitle, sharedRedis, stopSharedRedis } from "./redis-bed.ts";

describe.runIf(hasRedis)(redisTitle, () => {
  afterAll(stopSharedRedis);
  engineConformance({ title: "redis", durable: true }, () => openHarness(freshCell(), manualClock()));
});

async function openHarness(cell: string, clock: ManualClock): Promise<EngineHarness> {
  const { url } = await sharedRedis();
  const options = { address: { url }, cell, clock };
  let engine = await openRedisEngine(options);
  const harness: EngineHarness = {
    engine,
    passTime: async (milliseconds) => clock.advance(milliseconds),
    async reopen() {
      await engine.close();
      engine = await openRedisEngine(options);
      return { ...harness, engine };
    },
    dispose: () => engine.close(),
  };
  return harness;
}
