/**
 * Request and reply by way of Redis, 50 in flight: queue-core's `process` beside BullMQ's `waitUntilFinished`.
 *
 * Both sides do the same work on a Redis of their own with `appendfsync always`, asker and decider in one process
 * with connections of their own: a request is stored, decided by a counter that all share, and answered. Ours also
 * stores a result for each request, and every decision takes effect exactly once; a job's effects are the worker's
 * own business, and this one has none.
 *
 * BullMQ is set up as documented: `QueueEvents` for the answers (https://docs.bullmq.io/guide/events), a worker with a
 * concurrency of 50 (https://docs.bullmq.io/guide/workers/concurrency), finished jobs removed but for the last 1,000.
 */
import { join } from "node:path";
import { type ConnectionOptions, Queue, QueueEvents, Worker } from "bullmq";
import { openQueue } from "queue-core";
import { findRedisServer, openRedisEngine, type RedisEngine, startPrivateRedis } from "queue-core/redis";
import { inOwnFolder, type Purchase, purchase, purchaseTopic } from "../../queue-core/bench/bed.ts";
import { inFlight } from "../../queue-core/bench/in-flight.ts";
import { type BenchOptions, type BenchRow, median, percentile, ratioOfRounds } from "../../queue-core/bench/row.ts";

const width = 50;
const bar = 5;
const topic = { ...purchaseTopic("requests"), partitions: 4 };

interface Side {
  readonly requestsPerRound: number;
  ask(number: number): Promise<void>;
  stop(): Promise<void>;
}

interface Ours extends Side {
  /** Of both engines. */
  roundTrips(): number;
}

interface Answer {
  readonly number: number;
  readonly count: number;
}

export function benchReplies({ rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  if (findRedisServer() === undefined) {
    console.log("no redis-server on the PATH: reply-vs-bullmq is left out");
    return Promise.resolve([]);
  }
  return inOwnFolder("replies", async (folder) => {
    const servers = [];
    const sides: Side[] = [];
    try {
      for (const name of ["ours", "theirs"]) servers.push(await startPrivateRedis({ directory: join(folder, name) }));
      const [own, other] = servers as [(typeof servers)[0], (typeof servers)[0]];
      const ours = await openOurs(own.url);
      sides.push(ours);
      const theirs = await openBullmq({ host: "127.0.0.1", port: other.port, maxRetriesPerRequest: null });
      sides.push(theirs);
      return await compare(ours, theirs, rounds);
    } finally {
      for (const side of sides) await side.stop();
      for (const server of servers) await server.stop();
    }
  });
}

async function compare(ours: Ours, theirs: Side, rounds: number): Promise<readonly BenchRow[]> {
  const rates = { ours: [] as number[], theirs: [] as number[] };
  const latenciesMs: number[] = [];
  const tripsPerRequest: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const trips = ours.roundTrips();
    const own = await rate(ours, round);
    const spent = ours.roundTrips() - trips;
    const other = await rate(theirs, round);
    if (round === 0) continue;
    rates.ours.push(own.perSecond);
    rates.theirs.push(other.perSecond);
    latenciesMs.push(...own.latenciesMs);
    tripsPerRequest.push(spent / ours.requestsPerRound);
  }
  const reply: BenchRow = {
    name: "reply-vs-bullmq",
    unit: "round trips/s",
    ours: median(rates.ours),
    theirs: median(rates.theirs),
    ratio: ratioOfRounds(rates.ours, rates.theirs),
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    rounds,
    bar,
  };
  const trips: BenchRow = {
    name: "redis round trips a request",
    unit: "round trips",
    ours: median(tripsPerRequest),
    rounds,
    note: `${width} requests in flight; all connections of asker and decider together`,
  };
  return [reply, trips];
}

async function rate(side: Side, round: number): Promise<{ perSecond: number; latenciesMs: Float64Array }> {
  const count = side.requestsPerRound;
  const latenciesMs = new Float64Array(count);
  const elapsedMs = await inFlight(count, width, (n) => side.ask(round * count + n), latenciesMs);
  return { perSecond: (count * 1_000) / elapsedMs, latenciesMs };
}

async function openOurs(url: string): Promise<Ours> {
  const open = (): Promise<RedisEngine> => openRedisEngine({ address: { url } });
  const engines = [await open(), await open()] as const;
  const [asking, deciding] = await Promise.all(engines.map((engine) => openQueue({ engine, topics: [topic] })));
  if (asking === undefined || deciding === undefined) throw new Error("no queue");
  await deciding.process<Purchase>({
    group: "deciders",
    topic,
    keys: ({ sale, number }) => [`sale:${sale}`, `result:${number}`],
    decide: ({ value: { sale, number } }, state) => {
      if (state.get(`result:${number}`) !== undefined) return { reply: { number, count: 0 } satisfies Answer };
      const count = (state.get<{ count: number }>(`sale:${sale}`)?.count ?? 0) + 1;
      return {
        writes: [
          { key: `sale:${sale}`, value: { count } },
          { key: `result:${number}`, value: { count }, expiresAfterMs: 60_000 },
        ],
        reply: { number, count } satisfies Answer,
      };
    },
  });
  const requester = await asking.requester();
  return {
    requestsPerRound: 20_000,
    roundTrips: () => engines.reduce((sum, engine) => sum + engine.redisStatistics().roundTrips, 0),
    async ask(number) {
      const value = purchase(number);
      const answer = await requester.send<Purchase, Answer>(topic, value, { timeoutMs: 10_000 }).reply;
      if (answer.number !== value.number) throw new Error(`request ${value.number} got the answer to ${answer.number}`);
    },
    async stop() {
      await asking.stop();
      await deciding.stop();
    },
  };
}

async function openBullmq(connection: ConnectionOptions): Promise<Side> {
  const defaultJobOptions = { removeOnComplete: 1_000, removeOnFail: 5_000 };
  const queue = new Queue<Purchase, Answer>("requests", { connection, defaultJobOptions });
  const events = new QueueEvents("requests", { connection });
  // Every job that is waited for listens to both.
  queue.setMaxListeners(0);
  events.setMaxListeners(0);
  let decided = 0;
  const worker = new Worker<Purchase, Answer>(
    "requests",
    async ({ data }) => {
      decided++;
      return { number: data.number, count: decided };
    },
    { connection, concurrency: width },
  );
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady(), worker.waitUntilReady()]);
  return {
    requestsPerRound: 3_000,
    async ask(number) {
      const value = purchase(number);
      const job = await queue.add("purchase", value);
      const answer = await job.waitUntilFinished(events, 30_000);
      if (answer.number !== value.number) throw new Error(`request ${value.number} got the answer to ${answer.number}`);
    },
    async stop() {
      await worker.close();
      await Promise.all([events.close(), queue.close()]);
    },
  };
}
