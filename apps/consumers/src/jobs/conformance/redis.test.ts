import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { type PrivateRedis, startPrivateRedis } from "queue-core/redis";
import { openTcpProxy } from "queue-core/tcp-proxy";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isRedisInstalled } from "../../testing/redis-installed.ts";
import { openStore } from "./job-store.ts";
import { jobSuite } from "./job-suite.ts";
import { textKind } from "./text-kind.ts";

describe.skipIf(!isRedisInstalled && process.env.CI === undefined)("jobs in Redis", () => {
  let directory: string;
  let redis: PrivateRedis;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "jobs-redis-"));
    redis = await startPrivateRedis({ directory });
  });
  afterAll(async () => {
    await redis.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function loseAll(): Promise<void> {
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
  }

  jobSuite(async () => {
    await loseAll();
    return { store: "redis", url: redis.url };
  });

  test("jobs outlive a crash of Redis, and a worker goes on with them when it is back", async () => {
    await loseAll();
    const { jobs, close } = await openStore({ store: "redis", url: redis.url });
    const { promise: ran, resolve } = Promise.withResolvers<string>();
    try {
      await jobs.add(textKind(), [{ id: "late", data: "", delayMs: 500 }]);
      await jobs.work(textKind(), async ({ id }) => {
        resolve(id);
        return { kind: "done" };
      });
      process.kill(redis.pid, "SIGKILL");
      await redis.ended;
      redis = await startPrivateRedis({ directory, port: redis.port });
      expect(await ran).toBe("late");
    } finally {
      await close();
    }
  });

  test("connections that go half-open are given up: jobs are added again, and the worker goes on", async () => {
    await loseAll();
    const proxy = await openTcpProxy(redis.port);
    const { jobs, close } = await openStore({ store: "redis", url: `redis://127.0.0.1:${proxy.port}` });
    const ran = new Map<string, PromiseWithResolvers<void>>(
      ["before", "after"].map((id) => [id, Promise.withResolvers<void>()]),
    );
    try {
      await jobs.work(textKind(), async ({ id }) => {
        ran.get(id)?.resolve();
        return { kind: "done" };
      });
      await jobs.add(textKind(), [{ id: "before", data: "" }]);
      await ran.get("before")?.promise;
      proxy.hold("everything");
      await expect(jobs.add(textKind(), [{ id: "after", data: "" }])).rejects.toThrow();
      await jobs.add(textKind(), [{ id: "after", data: "" }]);
      await ran.get("after")?.promise;
    } finally {
      await close();
      await proxy.close();
    }
  });
});
