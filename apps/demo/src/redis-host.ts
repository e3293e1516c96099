/** Holds a Redis of our own, so that it ends also when the supervisor is killed. */
import { totalmem } from "node:os";
import { hostProcess, StartProblem, tellAs } from "@plateau/hosting";
import { QueueError } from "queue-core";
import { startPrivateRedis } from "queue-core/redis";
import { required } from "./required-variable.ts";

export interface RedisReady {
  readonly url: string;
  readonly pid: number;
}

process.title = "plateau-redis";

const missing = "no Redis could be started: set REDIS_URL, or install redis-server or valkey-server 7.0 or newer";

hostProcess<RedisReady>(async () => {
  const port = process.env.REDIS_PORT;
  const redis = await startPrivateRedis({
    directory: required("REDIS_FOLDER"),
    // Near it publishes are refused and work goes on; without it the system would end Redis.
    settings: { maxmemory: String(Math.floor(totalmem() / 2)) },
    ...(port === undefined ? {} : { port: Number(port) }),
  }).catch(tellAs(QueueError, missing));
  return {
    ready: { url: redis.url, pid: redis.pid },
    stop: () => redis.stop(),
    failed: redis.ended.then(() => new StartProblem("Redis ended")),
  };
});
