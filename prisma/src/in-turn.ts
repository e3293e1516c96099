/**
 * Work that one process at a time may do, whichever comes first.
 *
 * What can go wrong: the process dies in the middle. The lock belongs to its transaction and ends with it.
 */
import type { Database } from "./database.ts";

/** Longer than any work done under it. */
const heldAtMostMs = 30_000;
const waitAtMostMs = 30_000;

/**
 * Waits for others that run work under the same name. `work` uses connections of its own, so its writes stay, and one
 * client must not wait for more turns at once than half of its connections.
 */
export function inTurn<T>(db: Database, name: string, work: () => Promise<T>): Promise<T> {
  return db.$transaction(
    async (transaction) => {
      await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${name}, 0))`;
      return work();
    },
    { maxWait: waitAtMostMs, timeout: heldAtMostMs },
  );
}
