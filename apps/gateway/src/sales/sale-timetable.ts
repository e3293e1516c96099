/**
 * Keeps the shop's timetable filled while the system runs, and tells the stock stage of the sales that come into
 * being outside the gateway.
 *
 * What can go wrong: the database is down at that moment; the next turn adds what is missing. Several gateways fill
 * one timetable: they take turns, and the second finds nothing missing. Whoever added a sale dies before the stock
 * stage was told; so every turn of every gateway tells it of each sale that it does not know. `open-sale` is
 * idempotent, so telling it twice changes nothing.
 */
import { groups, type SaleStock, stockCommands, stockKeys, termsOf } from "@plateau/domain";
import { type Database, seed } from "@plateau/prisma";
import type { Logger } from "pino";
import type { Queue, Topic } from "queue-core";

const everyMs = 5 * 60_000;

/** Returns how to stop; resolves when a turn under way has ended. */
export function keepTimetableFilled(queue: Queue, db: Database, log: Logger): () => Promise<void> {
  let turn: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    turn = turn.then(() =>
      fillTimetable(queue, db).catch((error: unknown) =>
        log.warn({ err: error }, "the timetable could not be filled; tried again in five minutes"),
      ),
    );
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await turn;
  };
}

/** Resolves when the stock stage was told of every sale to come that it did not know. */
export async function fillTimetable(queue: Queue, db: Database): Promise<void> {
  await seed(db, { now: new Date(queue.now()) });
  const rows = await db.sale.findMany({ where: { endsAt: { gt: new Date(queue.now()) }, closedAt: null } });
  const state = queue.state(groups.stock, stockCommands as Topic<never>);
  await Promise.all(
    rows.map(async (row) => {
      const terms = termsOf(row);
      const known = await state.get<SaleStock>(terms.saleId, stockKeys.sale(terms.saleId));
      if (known === undefined) await queue.publish(stockCommands, { type: "open-sale", saleId: terms.saleId, terms });
    }),
  );
}
