/**
 * `gateway-vs-bullmq`: decided purchases per second through two gateways, as many processes on one Redis, against the
 * flow that NestJS applications build of BullMQ and Lua: one job for each purchase, decided by a script, answered by
 * `waitUntilFinished` (bullmq-flow/). Rounds alternate, under the same generator.
 *
 * Alike on both sides: two gateway and two worker processes, Fastify with the same session check and validation, a
 * private Redis of its own with `appendfsync always`, reached over TCP, and connections from the generator straight to
 * both gateways in turn. Not alike, to our disadvantage: ours also scores risk outside, keeps the answer of every key,
 * and has its consumers at work meanwhile (orders and statistics in PostgreSQL, SMS jobs), all on the same cores; of
 * theirs a purchase is over with its job. Before each of their rounds our consumers have caught up and the SMS are sent.
 *
 * The second row counts what the engines of all processes sent to Redis, from the first purchase until the last consumer
 * had caught up. BullMQ's own connections, for the SMS jobs of ours, are not among them.
 *
 * A round is valid only when every purchase was won; otherwise the bench throws.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { findRedisServer, startPrivateRedis } from "queue-core/redis";
import { type Cluster, startCluster } from "../../apps/demo/src/cluster-system.ts";
import { inOwnFolder } from "../../queue-core/bench/bed.ts";
import { type BenchOptions, ratioOfRounds } from "../../queue-core/bench/row.ts";
import { stockKey } from "./bullmq-flow/purchase-flow.ts";
import { BenchChild } from "./child.ts";
import { type GeneratorResult, runRound } from "./generator.ts";
import {
  baselineSecret,
  caughtUp,
  liftLimits,
  openSale,
  ops,
  shoppers,
  signBaselineTokens,
  smsSent,
} from "./system-calls.ts";
import { type BenchRow, median, percentile } from "./table.ts";

const requestsPerRound = 6_000;
const connections = 256;
const perUserLimit = 10;
const bar = 4;

interface Side {
  /** All of them won. */
  round(generator: BenchChild): Promise<GeneratorResult>;
  stop(): Promise<void>;
}

interface Ours extends Side {
  readonly cluster: Cluster;
}

export function benchGatewayOnRedis({ rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  if (findRedisServer() === undefined) {
    console.log("no redis-server on the PATH: gateway-vs-bullmq is left out");
    return Promise.resolve([]);
  }
  return inOwnFolder("cluster", async (folder) => {
    const generator = new BenchChild("./generator.ts");
    const sides: Side[] = [];
    try {
      const ours = await startOurs(join(folder, "ours"));
      sides.push(ours);
      const theirs = await startTheirs(join(folder, "theirs"));
      sides.push(theirs);
      return await compare(generator, ours, theirs, rounds);
    } finally {
      await Promise.all([generator.stop(), ...sides.map((side) => side.stop())]);
    }
  });
}

async function compare(generator: BenchChild, ours: Ours, theirs: Side, rounds: number): Promise<BenchRow[]> {
  const own: GeneratorResult[] = [];
  const others: GeneratorResult[] = [];
  const tripsEach: number[] = [];
  // Round 0 warms both sides up and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const tripsBefore = await roundTrips(ours.cluster);
    const our = await ours.round(generator);
    await caughtUp(ours.cluster);
    const trips = (await roundTrips(ours.cluster)) - tripsBefore;
    await smsSent(ours.cluster);
    const their = await theirs.round(generator);
    if (round === 0) continue;
    own.push(our);
    tripsEach.push(trips / requestsPerRound);
    others.push(their);
  }
  const rates = { ours: own.map(perSecond), theirs: others.map(perSecond) };
  const p = (results: readonly GeneratorResult[], share: number) =>
    median(results.map(({ latenciesMs }) => percentile(latenciesMs, share)));
  return [
    {
      name: "gateway-vs-bullmq",
      unit: "purchases/s",
      ours: median(rates.ours),
      theirs: median(rates.theirs),
      ratio: ratioOfRounds(rates.ours, rates.theirs),
      p50Ms: p(own, 0.5),
      p99Ms: p(own, 0.99),
      rounds,
      bar,
      note: `gateway-vs-bullmq: their answers p50 ${Math.round(p(others, 0.5))} ms, p99 ${Math.round(p(others, 0.99))} ms`,
    },
    {
      name: "redis round trips a purchase",
      unit: "round trips",
      ours: median(tripsEach),
      rounds,
      bar: 0.2,
      barIs: "at most",
    },
  ];
}

/** Of all engines that ever were on this Redis. Each tells of its own once a second. */
async function roundTrips(cluster: Cluster): Promise<number> {
  await sleep(1_500);
  const { engine } = (await ops(cluster, "GET", "/statistics")) as { engine: { roundTrips: { all: number } } };
  return engine.roundTrips.all;
}

const perSecond = (result: GeneratorResult): number => (requestsPerRound / result.elapsedMs) * 1000;

const jobOf = (ports: readonly number[], saleId: string, tokens: readonly string[]) => ({
  host: "127.0.0.1",
  ports,
  path: `/api/sales/${saleId}/purchases`,
  body: JSON.stringify({ quantity: 1 }),
  tokens,
  keyPrefix: "bench",
  connections,
});

async function startOurs(dataDir: string): Promise<Ours> {
  const counts = { gateways: 2, workers: 2, consumers: 2 };
  const cluster = await startCluster({ dataDir, counts, storefront: false, crowd: false, logLevel: "warn" });
  try {
    await liftLimits(cluster);
    const tokens = await shoppers(cluster, requestsPerRound);
    const ports = cluster.processes.flatMap(({ url }) => (url === undefined ? [] : [Number(new URL(url).port)]));
    return {
      cluster,
      async round(generator) {
        const saleId = await openSale(cluster, requestsPerRound);
        return runRound(generator, jobOf(ports, saleId, tokens), "201");
      },
      stop: () => cluster.stop(),
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

async function startTheirs(folder: string): Promise<Side> {
  const server = await startPrivateRedis({ directory: folder });
  const environment = {
    REDIS_URL: server.url,
    SESSION_SECRET: baselineSecret,
    PER_USER_LIMIT: String(perUserLimit),
  };
  const workers = [1, 2].map(() => new BenchChild("./bullmq-flow/worker.ts", environment));
  const gateways = [1, 2].map(() => new BenchChild("./bullmq-flow/gateway.ts", environment));
  const store = new Redis(server.url);
  const stop = async (): Promise<void> => {
    store.disconnect();
    await Promise.all([...gateways, ...workers].map((child) => child.stop()));
    await server.stop();
  };
  try {
    await Promise.all(workers.map((worker) => worker.next<string>()));
    const ports = await Promise.all(gateways.map(async (gateway) => (await gateway.next<{ port: number }>()).port));
    const tokens = await signBaselineTokens(requestsPerRound);
    let sales = 0;
    return {
      async round(generator) {
        const saleId = `bench-${sales++}`;
        await store.set(stockKey(saleId), requestsPerRound);
        return runRound(generator, jobOf(ports, saleId, tokens), "201");
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
