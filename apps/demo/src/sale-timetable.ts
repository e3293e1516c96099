/**
 * Keeps the shop's timetable filled while the system runs, and tells the stock stage of the sales that come into
 * being outside the gateway.
 *
 * What can go wrong: the database is down at that moment. The next turn adds what is missing; `open-sale` is
 * idempotent, so telling the stage twice changes nothing.
 */
import { stockCommands, termsOf } from "@plateau/domain";
import { type Database, seed } from "@plateau/prisma";
import type { Logger } from "pino";
import type { Queue } from "queue-core";

const everyMs = 5 * 60_000;

/** Returns how to stop; resolves when a turn under way has ended. */
export function keepTimetableFilled(queue: Queue, db: Database, log: Logger): () => Promise<void> {
  let turn: Promise<void> = Promise.resolve();
  const fill = async (): Promise<void> => {
    try {
      const { created } = await seed(db, { now: new Date() });
      await announceSales(queue, db, created);
    } catch (error) {
      log.warn({ err: error }, "the timetable could not be filled; tried again in five minutes");
    }
  };
  const timer = setInterval(() => {
    turn = turn.then(fill);
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await turn;
  };
}

/** Sends `open-sale` for these; resolves when the commands are stored. */
async function announceSales(queue: Queue, db: Database, saleIds: readonly string[]): Promise<void> {
  const rows = await db.sale.findMany({ where: { id: { in: [...saleIds] } } });
  await Promise.all(
    rows.map((row) => {
      const terms = termsOf(row);
      return queue.publish(stockCommands, { type: "open-sale", saleId: terms.saleId, terms });
    }),
  );
}
