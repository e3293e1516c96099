import { afterAll, describe } from "vitest";
import { engineConformance } from "./engine-suite.ts";
import { freshCell, hasRedis, redisHarness, redisTitle, sharedRedis, stopSharedRedis } from "./redis-bed.ts";

describe.runIf(hasRedis)(redisTitle, () => {
  afterAll(stopSharedRedis);
  engineConformance({ title: "redis", durable: true }, async () =>
    redisHarness({ url: (await sharedRedis()).url }, freshCell()),
  );
});
