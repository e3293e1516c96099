/**
 * BullMQ: jobs added by 256 publishers, handled by one worker.
 *
 * Set up as documented: jobs that come together are added with `addBulk`, which makes one round trip of them
 * (https://docs.bullmq.io/guide/queues/adding-bulks), here at most 64 at once, so that Redis works on one bulk while
 * the next is made; a worker with a concurrency of 100 (https://docs.bullmq.io/guide/workers/concurrency);
 * `maxRetriesPerRequest: null` on its connection, and finished jobs removed but for the last 1,000, as
 * https://docs.bullmq.io/guide/going-to-production asks.
 */
import { type ConnectionOptions, Queue, Worker } from "bullmq";
import { type Purchase, purchase } from "../../../queue-core/bench/bed.ts";
import { inFlight } from "../../../queue-core/bench/in-flight.ts";
import { GatheredPublishes } from "./gathered-publishes.ts";
import { type AppendFsync, type PrivateRedis, redisDurability } from "./redis-server.ts";
import { HandledCount, publishersInFlight, type Rival } from "./rival.ts";

const mostInBulk = 64;
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
  const toStored = gathered(stored);
  const toConsumed = gathered(consumed);
  return {
    name: `BullMQ, ${appendFsync}`,
    durability: redisDurability[appendFsync],
    messagesPerRound: 8_000,
    publish: (first, count) => inFlight(count, publishersInFlight, (number) => toStored.publish(first + number)),
    async publishAndConsume(first, count) {
      const startedMs = performance.now();
      const all = handled.next(count);
      await inFlight(count, publishersInFlight, (number) => toConsumed.publish(first + number));
      await all;
      return performance.now() - startedMs;
    },
    async stop() {
      await worker.close();
      await Promise.all([stored.close(), consumed.close()]);
    },
  };
}

const gathered = (queue: Queue<Purchase>): GatheredPublishes =>
  new GatheredPublishes(mostInBulk, (numbers) =>
    queue.addBulk(numbers.map((number) => ({ name: "purchase", data: purchase(number) }))),
  );
