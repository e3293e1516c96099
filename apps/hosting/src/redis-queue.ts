/**
 * The queue on Redis as each process opens it for itself.
 *
 * What can go wrong: Redis is not there, is too old, or lost what it acknowledged. Whoever starts the process gets
 * one line about it; an address is told without its password.
 */
import { hostname } from "node:os";
import type { Logger } from "pino";
import { openQueue, type Queue, QueueError, type QueueOptions } from "queue-core";
import { openRedisEngine, type RedisEngine } from "queue-core/redis";
import { StartProblem } from "./start-problem.ts";

export interface OpenRedisQueue {
  /** Its `stop` closes the engine too. */
  readonly queue: Queue;
  /** What Redis's settings put at risk, asked anew. */
  risks(): ReturnType<RedisEngine["risks"]>;
  readonly failed: Promise<Error>;
}

/** As the log calls it; else the app with its host and pid, for in containers the pid alone is no name. */
function processName(app: string): string {
  const name = process.env.PROCESS_NAME ?? "";
  const isName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/.test(name);
  return isName ? name : `${app}-${hostname()}-${process.pid}`.replaceAll(/[^A-Za-z0-9._-]/g, "-").slice(0, 80);
}

/** Throws StartProblem. Warns of settings that put data at risk. */
export async function openRedisQueue(options: {
  /** Which app this process is, e.g. `worker`. */
  readonly app: string;
  readonly url: string;
  readonly topics: QueueOptions["topics"];
  readonly log: Logger;
}): Promise<OpenRedisQueue> {
  const { url, topics, log } = options;
  const engine = await openRedisEngine({ address: { url } }).catch((error: unknown) => {
    if (error instanceof QueueError) throw new StartProblem(`the queue's Redis: ${error.message}`);
    throw error;
  });
  try {
    const risks = await engine.risks();
    for (const { setting, found, recommended, risk } of risks) {
      log.warn(`Redis has ${setting} ${found}, ${recommended} is recommended. ${risk}`);
    }
    const queue = await openQueue({
      engine,
      topics,
      processName: processName(options.app),
      onBackgroundError: (where, error) => log.warn({ err: error }, `queue: ${where}`),
    });
    return { queue, risks: () => engine.risks(), failed: engine.failed };
  } catch (error) {
    await engine.close();
    throw error;
  }
}
