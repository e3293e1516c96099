/**
 * BullMQ: jobs added by 256 publishers, handled by one worker.
 *
 * Set up as documented: jobs that come together are added with `addBulk`, which makes one round trip of them
 * (https://docs.bullmq.io/guide/queues/adding-bulks), so 256 in flight are bulks of 64 with four under way; a worker
 * with a concurrency of 100 (https://docs.bullmq.io/guide/workers/concurrency); `maxRetriesPerRequest: null` on the
 * worker's connection and finished jobs removed but for the last 1,000, as "going to production" asks.
 */
import { type ConnectionOptions, Queue, Worker } from "bullmq";
import { type Purchase, purchase } from "../../../queue-core/bench/bed.ts";
import { inFlight } from "../../../queue-core/bench/in-flight.ts";
import { type AppendFsync, type PrivateRedis, redisDurability } from "./redis-server.ts";
import { HandledCount, publishersInFlight, type Rival } from "./rival.ts";

const perBulk = 64;
const concurrency = 100;

export async function openBullmq(redis: PrivateRedis, appendFsync: AppendFsync): Promise<Rival> {
  const connection: ConnectionOptions = { path: redis.path, maxRetriesPerRequest: null };
  const defaultJobOptions = { removeOnComplete: 1_000, removeOnFail: 5_000 };
  const stored = new Queue<Purchase>("stored", { connection, defaultJobOptions });
  const consumed = new Queue<Purchase>("consumed", { connection, defaultJobOptions });
  const handled = new HandledCount();
  const worker = new Worker<Purchase>("consumed", async () => undefined, { connection, concurrency });
  worker.on("completed", () => handled.add(1));
  await Promise.all([stored.waitUntilReady(), consumed.waitUntilReady(), worker.waitUntilReady()]);
  return {
    name: `BullMQ, ${appendFsync}`,
    durability: redisDurability[appendFsync],
    messagesPerRound: 8_000,
    publish: (first, count) => addAll(stored, first, count),
    async publishAndConsume(first, count) {
      const startedMs = performance.now();
      const all = handled.next(count);
      await addAll(consumed, first, count);
      await all;
      return performance.now() - startedMs;
    },
    async stop() {
      await worker.close();
      await Promise.all([stored.close(), consumed.close()]);
    },
  };
}

function addAll(queue: Queue<Purchase>, first: number, count: number): Promise<number> {
  return inFlight(Math.ceil(count / perBulk), publishersInFlight / perBulk, (bulk) => {
    const from = bulk * perBulk;
    const jobs = Array.from({ length: Math.min(perBulk, count - from) }, (_, index) => {
      return { name: "purchase", data: purchase(first + from + index) };
    });
    return queue.addBulk(jobs);
  });
}
