/**
 * Which log this database belongs to.
 *
 * What can go wrong: stock is decided from the log, orders are kept here. With another log (an emptied folder, say)
 * the same sales would open again with all their stock beside the orders they already have, and be oversold. So the
 * first log that works on a database leaves its id in it, and no other may work on it.
 */
import type { Database } from "./database.ts";

/** Enters `logId` where the database belongs to no log yet. False where it belongs to another. */
export async function claimForLog(db: Database, logId: string): Promise<boolean> {
  await db.logIdentity.createMany({ data: [{ logId }], skipDuplicates: true });
  const { logId: owner } = await db.logIdentity.findFirstOrThrow();
  return owner === logId;
}
