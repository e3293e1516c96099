/**
 * The thread of the consumers: order, payment, SMS and statistics on an engine that the back end's main thread owns.
 *
 * What follows a decision is allowed to be late, an answer is not: in the main thread, consumers took almost as much
 * of its time as everything between request and answer (docs/adr/0007). They have their own database client and
 * their own connections to the providers here; only what they read and commit goes through the main thread.
 */
import { setPriority } from "node:os";
import { type MessagePort, workerData } from "node:worker_threads";
import { createHttpPaymentProvider, createHttpSmsProvider, startConsumers } from "@plateau/consumers";
import { allTopics, delayByFaults, openFaults, queueUnderFaults } from "@plateau/domain";
import type { LogLevel } from "@plateau/hosting";
import { createLog } from "@plateau/hosting";
import { openDatabase } from "@plateau/prisma";
import type { Logger } from "pino";
import { connectEngine, openQueue } from "queue-core";
import { hostThread } from "./hosted-thread.ts";

export interface ConsumersThreadSettings {
  /** Where the engine is served. */
  readonly engine: MessagePort;
  readonly databaseUrl: string;
  readonly sandboxUrl: string;
  readonly logLevel: LogLevel;
}

/** As `nice` counts: a third of the share of the thread that answers, where both want the same core. */
const niceness = 5;

await hostThread(async () => {
  const { engine, databaseUrl, sandboxUrl, logLevel } = workerData as ConsumersThreadSettings;
  const log = createLog("backend", logLevel);
  const queue = await openQueue({
    engine: await connectEngine(engine),
    topics: allTopics,
    processName: "consumers",
    onBackgroundError: (where, error) => log.warn({ err: error }, `queue: ${where}`),
  });
  const faults = await openFaults({
    engine: queue.engine,
    onBackgroundError: (where, error) => log.warn({ err: error }, where),
  });
  const slow = delayByFaults();
  slow.follow(faults);
  const db = openDatabase(databaseUrl, {
    delayMs: slow.delayMs,
    onConnectionError: (error) => log.debug({ err: error }, "a connection to the database broke"),
  });
  const consumers = await startConsumers({
    queue: queueUnderFaults(queue, faults),
    db,
    payments: createHttpPaymentProvider({ url: sandboxUrl }),
    sms: createHttpSmsProvider({ url: sandboxUrl }),
    log,
  });
  standBack(log);
  return {
    async stop() {
      await consumers.stop();
      await faults.stop();
      await queue.stop();
      await db.$disconnect();
    },
  };
});

/** On Linux a priority is that of the thread that asks; elsewhere it would be the whole process's. */
function standBack(log: Logger): void {
  if (process.platform !== "linux") return;
  try {
    setPriority(niceness);
  } catch (error) {
    log.debug({ err: error }, "the consumers keep the priority of the thread that answers");
  }
}
