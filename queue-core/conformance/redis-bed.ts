/**
 * One private Redis for all tests of a file, and what to do where none is installed.
 *
 * What can go wrong: a suite that is skipped without a word counts as passed. Promise: without a server the tests are
 * skipped, and their title says why; with CI=true they fail instead. `REDIS_TESTS=off` leaves them out, and is for
 * `npm run check` alone: they take as long as all other fast tests together.
 */
import { manualClock } from "../src/engines/clock.ts";
import { openRedisEngine, type RedisAddress } from "../src/engines/redis/index.ts";
import { findRedisServer, type PrivateRedis, startPrivateRedis } from "../src/engines/redis/private-redis.ts";
import type { EngineHarness } from "./engine-harness.ts";

const program = findRedisServer();

const isLeftOut = process.env.REDIS_TESTS === "off";

/** Whether tests on Redis run here; with CI=true they do, and fail where there is none. */
export const hasRedis = !isLeftOut && (program !== undefined || process.env.CI === "true");

const why = isLeftOut ? "REDIS_TESTS=off" : "neither redis-server nor valkey-server is on the PATH";
export const redisTitle = hasRedis ? "redis" : `redis (skipped: ${why})`;

let server: Promise<PrivateRedis> | undefined;
let cells = 0;

/** Without a disk: what Redis syncs is not what the conformance suites are about. */
export function sharedRedis(): Promise<PrivateRedis> {
  server ??= startPrivateRedis({ appendfsync: "off" });
  return server;
}

export async function stopSharedRedis(): Promise<void> {
  const running = server;
  server = undefined;
  await (await running)?.stop();
}

/** Of nobody else on that server. */
export const freshCell = (): string => `test-${cells++}`;

/** For the conformance of an engine, on a cell whose time the suite moves. */
export async function redisHarness(address: RedisAddress, cell: string): Promise<EngineHarness> {
  const clock = manualClock();
  const options = { address, cell, clock };
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
