/** What the tests of faults share: servers, proxies and engines of one test, all gone after it. */
import { afterEach } from "vitest";
import { clientMaker } from "./connection.ts";
import { openRedisEngine, type RedisEngineOptions } from "./open-redis-engine.ts";
import { type PrivateRedis, type PrivateRedisOptions, startPrivateRedis } from "./private-redis.ts";
import type { RedisEngine } from "./redis-engine.ts";
import { openTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

export interface FaultBed {
  start(options?: PrivateRedisOptions): Promise<PrivateRedis>;
  proxy(target: number): Promise<TcpProxy>;
  /** With one topic, `orders` of two partitions. */
  engine(port: number, options?: Partial<RedisEngineOptions>): Promise<RedisEngine>;
  readonly command: typeof command;
}

/** Deadlines short enough for a test, and long enough for a busy machine. */
export const quick = { deadlineMs: 8_000, silenceMs: 400 };

export function faultBed(): FaultBed {
  const engines: RedisEngine[] = [];
  const others: { stop(): Promise<unknown> }[] = [];
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((engine) => engine.close()));
    await Promise.all(others.splice(0).map((other) => other.stop()));
  });
  return {
    async start(options) {
      const server = await startPrivateRedis(options);
      others.push(server);
      return server;
    },
    async proxy(target) {
      const proxy = await openTcpProxy(target);
      others.push({ stop: () => proxy.close() });
      return proxy;
    },
    async engine(port, options = {}) {
      const engine = await openRedisEngine({ address: { url: `redis://127.0.0.1:${port}` }, ...quick, ...options });
      engines.push(engine);
      await engine.declareTopics([{ name: "orders", partitions: 2 }]);
      return engine;
    },
    command,
  };
}

/** One command on a connection of its own. */
export async function command(port: number, ...args: readonly (string | number)[]): Promise<unknown> {
  const client = clientMaker({ url: `redis://127.0.0.1:${port}` }, "test")();
  client.on("error", () => undefined);
  try {
    await client.connect();
    const [name, ...rest] = args.map(String);
    return await client.call(name as string, ...rest);
  } finally {
    client.disconnect();
  }
}

export const order = (text: string, partition = 0) => ({
  topic: "orders",
  partition,
  key: text,
  value: Buffer.from(text),
});

/** Waits for what another process or a timer has to do first. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const endMs = performance.now() + 20_000; !(await condition()); ) {
    if (performance.now() > endMs) throw new Error(`never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
