/** No truth of the sale rests on a job: the job store is lost, whole, and everything it was to do is done all the same. */
import { allTopics } from "@plateau/domain";
import { startTestPostgres, type TestPostgres } from "@plateau/prisma/testing/postgres";
import { Redis } from "ioredis";
import pino from "pino";
import { createMemoryEngine, openQueue } from "queue-core";
import { startPrivateRedis } from "queue-core/redis";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createHttpPaymentProvider, createHttpSmsProvider, startConsumers } from "../index.ts";
import { createEmbeddedJobs } from "../jobs/embedded/embedded-jobs.ts";
import { paymentJobKind, smsJobKind } from "../jobs/job-kinds.ts";
import type { JobKind, JobQueue } from "../jobs/job-queue.ts";
import { createBullmqJobs } from "../jobs/redis/bullmq-jobs.ts";
import type { PaymentProvider } from "../payment/payment-provider.ts";
import { ProviderUnavailable } from "../providers/provider-errors.ts";
import { ConsumersBed, within } from "../testing/consumers-bed.ts";
import { isRedisInstalled } from "../testing/redis-installed.ts";
import { SandboxProcess } from "../testing/sandbox-process.ts";

interface LosableStore {
  open(): Promise<JobQueue>;
  /** With everything in it. */
  lose(): Promise<void>;
  stop(): Promise<void>;
}

async function embeddedStore(): Promise<LosableStore> {
  const openNew = () => openQueue({ engine: createMemoryEngine(), topics: allTopics });
  let queue = await openNew();
  return {
    open: async () => createEmbeddedJobs({ queue }),
    lose: async () => {
      await queue.stop();
      queue = await openNew();
    },
    stop: () => queue.stop(),
  };
}

async function redisStore(): Promise<LosableStore> {
  const redis = await startPrivateRedis();
  return {
    open: async () => createBullmqJobs({ url: redis.url, onError: () => undefined }),
    lose: async () => {
      const client = new Redis(redis.url);
      await client.flushall();
      client.disconnect();
    },
    stop: () => redis.stop(),
  };
}

const canRunRedis = isRedisInstalled || process.env.CI !== undefined;
const stores = [["embedded", embeddedStore] as const, ...(canRunRedis ? [["redis", redisStore] as const] : [])];

describe.each(stores)("with the jobs in the %s store", (_name, openStore) => {
  let postgres: TestPostgres;
  let sandbox: SandboxProcess;
  let store: LosableStore;
  beforeAll(async () => {
    [postgres, sandbox, store] = await Promise.all([startTestPostgres(), SandboxProcess.start(), openStore()]);
  });
  afterAll(() => Promise.all([postgres.stop(), sandbox.stop(), store.stop()]));

  test("all jobs are lost before they were done; each SMS is sent once and each payment captured once all the same", async () => {
    const bed = await ConsumersBed.open(postgres);
    try {
      const queue = await bed.process();
      const real = createHttpPaymentProvider({ url: sandbox.url });
      const start = async (payments: PaymentProvider) => {
        const jobs = await store.open();
        const consumers = await startConsumers({
          queue,
          db: bed.db,
          payments,
          sms: createHttpSmsProvider({ url: sandbox.url }),
          log: pino({ level: "silent" }),
          jobs,
          reconciliation: { everyMs: 500, graceMs: 100 },
        });
        return { jobs, stop: () => consumers.stop().then(() => jobs.stop()) };
      };
      const capture = () => Promise.reject(new ProviderUnavailable("captures are down"));
      const first = await start({ ...real, capture });
      await bed.startStock(queue);
      await sandbox.order("sms", { failEvery: 1 });
      const names = ["ann", "bob", "cem", "dan"];
      for (const name of names) await bed.buy(queue, name);
      await vi.waitFor(async () => expect(await bed.db.order.count()).toBe(4), within);
      const ids = await Promise.all(names.map((name) => bed.askToPay(queue, name)));
      const waiting = async () =>
        (
          await Promise.all([smsJobKind, paymentJobKind].map((kind) => first.jobs.counts(kind as JobKind<unknown>)))
        ).map((counts) => counts.waiting);
      await vi.waitFor(async () => expect(await waiting()).toEqual([8, 4]), within);
      await first.stop();
      await store.lose();

      await sandbox.order("sms");
      const second = await start(real);
      const captured = () => bed.db.payment.count({ where: { id: { in: ids }, state: "captured" } });
      await vi.waitFor(async () => expect(await captured()).toBe(4), within);
      await vi.waitFor(async () => expect(await bed.db.smsMessage.count()).toBe(8), within);
      for (const name of names) {
        const keys = (await sandbox.messages(`${bed.orderOf(name)}:`)).map(({ key }) => key);
        expect(keys.sort()).toEqual([`${bed.orderOf(name)}:created`, `${bed.orderOf(name)}:paid`]);
        const held = await sandbox.authorisations(`${bed.reservationOf(name)}:`);
        expect(held.map(({ status }) => status)).toEqual(["captured"]);
      }
      await second.stop();
    } finally {
      await bed.close();
    }
  });
});
