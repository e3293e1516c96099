/**
 * The queue on Redis as each process opens it for itself.
 *
 * What can go wrong: Redis is not there, is too old, or lost what it acknowledged. Whoever starts the process gets
 * one line about it; an address is told without its password. A loss while no process ran is found out by what the app
 * remembers (`memory`).
 */
import { hostname } from "node:os";
import type { Logger } from "pino";
import { openQueue, type Queue, QueueError, type QueueOptions } from "queue-core";
import { type DataMark, openRedisEngine, type RedisEngine } from "queue-core/redis";
import { DataLost } from "./data-loss.ts";
import { MarkKeeper, type MarkMemory } from "./mark-keeper.ts";
import { StartProblem } from "./start-problem.ts";

export interface OpenRedisQueue {
  readonly queue: Queue;
  /** What Redis's settings put at risk, asked anew. */
  risks(): ReturnType<RedisEngine["risks"]>;
  /** How far Redis has come, as far as this process knows. */
  mark(): DataMark;
  readonly failed: Promise<Error>;
  /** Tells the memory what is known last, and stops the queue and its engine. */
  stop(): Promise<void>;
}

export interface RedisQueueOptions {
  /** Which app this process is, e.g. `worker`. */
  readonly app: string;
  readonly url: string;
  readonly topics: QueueOptions["topics"];
  readonly log: Logger;
  /** Without it a loss is found out only by those that ran before it. */
  readonly memory?: MarkMemory;
  /** What other processes did is not asked for more often. Default: as soon as it is there. */
  readonly newsEveryMs?: number;
}

/** Throws StartProblem, and DataLost. Warns of settings that put data at risk. */
export async function openRedisQueue(options: RedisQueueOptions): Promise<OpenRedisQueue> {
  const { app, topics, log, memory } = options;
  const engine = await openEngine(options);
  try {
    const risks = await engine.risks();
    for (const { setting, found, recommended, risk } of risks) {
      log.warn(`Redis has ${setting} ${found}, ${recommended} is recommended. ${risk}`);
    }
    const queue = await openQueue({
      engine,
      topics,
      processName: processName(app),
      onBackgroundError: (where, error) => log.warn({ err: error }, `queue: ${where}`),
    });
    const keeper = memory && new MarkKeeper(memory, () => engine.mark, log);
    const stop = async (): Promise<void> => {
      await keeper?.stop();
      await queue.stop();
    };
    return { queue, risks: () => engine.risks(), mark: () => engine.mark, failed: engine.failed, stop };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function openEngine(options: RedisQueueOptions): Promise<RedisEngine> {
  const open = async (): Promise<RedisEngine> => {
    const { url, memory, newsEveryMs = 0 } = options;
    const atLeast = await memory?.recall();
    return openRedisEngine({ address: { url }, newsEveryMs, ...(atLeast === undefined ? {} : { atLeast }) });
  };
  const isAccepted = async (): Promise<boolean> => {
    await (await open()).close();
    return true;
  };
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof QueueError)) throw error;
    if (error.code === "DATA_LOST") throw new DataLost(error.message.replace("DATA_LOST: ", ""), isAccepted);
    throw new StartProblem(`the queue's Redis: ${error.message}`);
  }
}

/** As the log calls it; else the app with its host and pid, for in containers the pid alone is no name. */
function processName(app: string): string {
  const name = process.env.PROCESS_NAME ?? "";
  const isName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/.test(name);
  return isName ? name : `${app}-${hostname()}-${process.pid}`.replaceAll(/[^A-Za-z0-9._-]/g, "-").slice(0, 80);
}
