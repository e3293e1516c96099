/**
 * A worker of the BullMQ flow: decides each job by the script. A concurrency of 100 jobs, since each only waits for
 * Redis (https://docs.bullmq.io/guide/workers/concurrency recommends 100 to 300 for work of that kind).
 */
import { Worker } from "bullmq";
import { Redis } from "ioredis";
import {
  buyersKey,
  connectionOf,
  type PurchaseJob,
  type PurchaseOutcome,
  queueName,
  stockKey,
  takeStock,
} from "./purchase-flow.ts";

const redisUrl = process.env.REDIS_URL;
if (redisUrl === undefined) throw new Error("REDIS_URL is not set");
const connection = connectionOf(redisUrl);

interface Store extends Redis {
  takeStock(stock: string, buyers: string, user: string, quantity: number, limit: number): Promise<PurchaseOutcome>;
}
const store = new Redis(connection) as Store;
store.defineCommand("takeStock", { numberOfKeys: 2, lua: takeStock });
const worker = new Worker<PurchaseJob, PurchaseOutcome>(
  queueName,
  ({ data: { saleId, userId, quantity, perUserLimit } }) =>
    store.takeStock(stockKey(saleId), buyersKey(saleId), userId, quantity, perUserLimit),
  { connection, concurrency: 100 },
);
worker.on("error", (error) => console.error(error));
await worker.waitUntilReady();
process.send?.("ready");
process.on("disconnect", () => process.exit(0));
