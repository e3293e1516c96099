/**
 * How a batch that is written in one transaction turns into one outcome per message.
 *
 * What can go wrong:
 * - The database is down: the partition pauses; no message spends an attempt, however long it takes.
 * - The queue takes nothing just now, or a check-back ended half messages first: likewise.
 * - One row is refused (it names a sale that nobody knows, say) and the transaction with it: the messages are tried
 *   one by one, so that only the bad one stays behind; it is retried with backoff and ends in the dead letters.
 * - Our own code throws: that is not caught here; the queue retries and then dead-letters the batch.
 */
import { isDatabaseError, isRefusedRow } from "@plateau/prisma";
import { done, type Message, type Outcome, pause, QueueError, retry } from "queue-core";

/** `apply` takes a batch, is idempotent, and may say what becomes of each message; by default all are done. */
export async function settleBatch<T>(
  batch: readonly Message<T>[],
  apply: (batch: readonly Message<T>[]) => Promise<readonly Outcome[] | undefined>,
): Promise<readonly Outcome[]> {
  try {
    return (await apply(batch)) ?? batch.map(() => done);
  } catch (error) {
    if (isPassing(error)) return batch.map(() => pause());
    if (!isDatabaseError(error)) throw error;
    if (!isRefusedRow(error)) return batch.map(() => pause());
    if (batch.length === 1) return [retry({ error })];
  }
  const outcomes: Outcome[] = [];
  for (const message of batch) outcomes.push(...(await settleBatch([message], apply)));
  return outcomes;
}

/** Errors of the queue that publishing anew answers. */
const isPassing = (error: unknown): boolean =>
  error instanceof QueueError && (error.retryable || error.code === "HALF_ROLLED_BACK");
