/** The consumers as a process of their own, beside any number of others on one Redis. `--help` tells the environment. */
import { allTopics, delayByFaults, openFaults, queueUnderFaults } from "@plateau/domain";
import { openRedisQueue, required, runProcess, startWith, tellAs, values } from "@plateau/hosting";
import { claimAndSeed, ForeignDatabase, markMemory, openMigrated } from "@plateau/prisma";
import { createBullmqJobs } from "./jobs/redis/bullmq-jobs.ts";
import { createHttpPaymentProvider } from "./payment/http-payment-provider.ts";
import { createHttpSmsProvider } from "./sms/http-sms-provider.ts";
import { standBack } from "./stand-back.ts";
import { startConsumers } from "./start-consumers.ts";

const foreign = "this database belongs to the data of another Redis; use that one, or an empty database";

/** Batches linger longer. */
const newsEveryMs = 50;

runProcess({
  name: "consumers",
  purpose: "What follows a decision: orders, payments, SMS and statistics, each a consumer group of its own.",
  variables: {
    REDIS_URL: required("the queue, redis://[user:password@]host[:port][/database]", values.redisUrl),
    DATABASE_URL: required("PostgreSQL: where orders and statistics are written", values.databaseUrl),
    SANDBOX_URL: required("the payment and the SMS provider's address", values.httpUrl),
  },
  async start(settings, log) {
    const { started, parts } = await startWith(async (list) => {
      const slow = delayByFaults();
      const db = list.add(await openMigrated(settings.DATABASE_URL, slow), (opened) => opened.$disconnect());
      const memory = markMemory(db);
      const { REDIS_URL: url } = settings;
      const opening = openRedisQueue({ app: "consumers", url, topics: allTopics, log, memory, newsEveryMs });
      const { queue, mark, failed } = list.add(await opening, (opened) => opened.stop());
      const faults = list.add(await openFaults({ engine: queue.engine }), (opened) => opened.stop());
      slow.follow(faults);
      await claimAndSeed(db, queue.engine).catch(tellAs(ForeignDatabase, foreign));
      const jobs = createBullmqJobs({
        url: settings.REDIS_URL,
        onError: (error) => log.warn({ err: error }, "jobs: Redis"),
      });
      list.add(jobs, (opened) => opened.stop());
      const consumers = await startConsumers({
        queue: queueUnderFaults(queue, faults),
        db,
        mark,
        payments: createHttpPaymentProvider({ url: settings.SANDBOX_URL }),
        sms: createHttpSmsProvider({ url: settings.SANDBOX_URL }),
        jobs,
        log,
      });
      list.add(consumers, (running) => running.stop());
      standBack();
      return { failed };
    });
    return { ready: {}, stop: () => parts.stop(), failed: started.failed };
  },
});
