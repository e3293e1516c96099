/**
 * The queue on Redis as each process opens it for itself.
 *
 * What can go wrong: Redis is not there, is too old, or lost what it acknowledged. Whoever starts the process gets
 * one line about it; an address is told without its password.
 */
import type { Logger } from "pino";
import { openQueue, type Queue, QueueError, type QueueOptions } from "queue-core";
import { openRedisEngine } from "queue-core/redis";
import { StartProblem } from "./start-problem.ts";

/** Throws StartProblem. `stop` of the queue closes the engine too. */
export async function openRedisQueue(options: {
  readonly url: string;
  readonly topics: QueueOptions["topics"];
  readonly log: Logger;
}): Promise<Queue> {
  const { url, topics, log } = options;
  const engine = await openRedisEngine({ address: { url } }).catch((error: unknown) => {
    if (error instanceof QueueError) throw new StartProblem(`the queue's Redis: ${error.message}`);
    throw error;
  });
  try {
    return await openQueue({
      engine,
      topics,
      onBackgroundError: (where, error) => log.warn({ err: error }, `queue: ${where}`),
    });
  } catch (error) {
    await engine.close();
    throw error;
  }
}
