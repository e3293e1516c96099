/** `npm run demo` where REDIS_URL is set: the same shop as many processes on that Redis. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findRedisServer, type PrivateRedis, startPrivateRedis } from "queue-core/redis";
import { afterEach, describe, expect, it } from "vitest";
import {
  adminToken,
  allPids,
  endAll,
  isRunning,
  startDemo,
  temporaryFolder,
  untilGone,
} from "../setup/demo-process.ts";

const servers: PrivateRedis[] = [];
afterEach(async () => {
  await endAll();
  for (const server of servers.splice(0)) await server.stop();
});

const password = "only-the-redis-knows";

async function makeSale(url: string, title: string): Promise<void> {
  const answer = await fetch(`${url}/api/ops/sales`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    body: JSON.stringify({ title, stock: 5 }),
  });
  expect(answer.status).toBe(201);
}

describe.skipIf(findRedisServer() === undefined)("a demo with REDIS_URL", () => {
  it("says what it does, runs each app as processes of its own, and has its sales again after a stop", async () => {
    const redis = await startPrivateRedis({ settings: { requirepass: password } });
    servers.push(redis);
    const dataDir = temporaryFolder();
    const env = { REDIS_URL: redis.url };
    const first = startDemo({ dataDir, env });
    const url = await first.ready;
    expect((await (await fetch(url)).text()).includes("</html>")).toBe(true);
    await makeSale(url, "Kept in Redis");
    const pids = allPids(first);
    first.signal("SIGTERM");
    const end = await first.ended;
    expect(end.code).toBe(0);
    await untilGone(pids, 5_000);
    expect(isRunning(redis.pid)).toBe(true);
    expect(end.stdout).toContain(
      `many processes on the Redis at 127.0.0.1:${redis.port} (REDIS_URL is set): 2 gateways, 2 workers, 2 consumers`,
    );
    for (const name of ["gateway-1", "gateway-2", "worker-1", "worker-2", "consumers-1", "consumers-2"]) {
      expect(end.stdout).toMatch(new RegExp(`^ {2}${name} +process \\d+`, "m"));
    }
    expect(end.stdout + end.stderr).not.toContain(password);
    expect(readFileSync(join(dataDir, "secrets.json"), "utf8")).not.toContain(password);

    const second = startDemo({ dataDir, env, args: ["--workers", "1", "--gateways=1", "--consumers", "1"] });
    const answer = await fetch(`${await second.ready}/api/sales`);
    const { sales } = (await answer.json()) as { sales: { title: string }[] };
    expect(sales.map(({ title }) => title)).toContain("Kept in Redis");
  });
});
