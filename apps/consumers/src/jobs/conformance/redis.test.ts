import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PrivateRedis, redisProgram } from "../../testing/private-redis.ts";
import { openStore } from "./job-store.ts";
import { jobSuite } from "./job-suite.ts";
import { textKind } from "./text-kind.ts";

describe.skipIf(redisProgram === undefined && process.env.CI === undefined)("jobs in Redis", () => {
  let redis: PrivateRedis;
  beforeAll(async () => {
    redis = await PrivateRedis.start();
  });
  afterAll(() => redis.stop());

  jobSuite(async () => {
    await redis.loseAll();
    return { store: "redis", url: redis.url };
  });

  test("jobs outlive a crash of Redis, and a worker goes on with them when it is back", async () => {
    await redis.loseAll();
    const { jobs, close } = await openStore({ store: "redis", url: redis.url });
    const { promise: ran, resolve } = Promise.withResolvers<string>();
    try {
      await jobs.add(textKind(), [{ id: "late", data: "", delayMs: 500 }]);
      await jobs.work(textKind(), async ({ id }) => {
        resolve(id);
        return { kind: "done" };
      });
      await redis.restart();
      expect(await ran).toBe("late");
    } finally {
      await close();
    }
  });
});
