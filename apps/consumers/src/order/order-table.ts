/**
 * The order consumer's statements.
 *
 * What can go wrong: a statement waits for a lock, and nobody can say whether its rows will come. Each is given up by
 * the database after `statementMs`, so a transaction of five that was begun ends within `longestWriteMs`, as long as
 * the process that sends them is not stopped.
 */
import type { ReservationId } from "@plateau/domain";
import { type Database, type DataMark, noteMark } from "@plateau/prisma";
import { type OrderingEvent, rowOf, stateAfter } from "./order-rows.ts";

const statementMs = 5_000;
/** Waiting for a connection, beginning, five statements, and a reserve for the way there and back. */
export const longestWriteMs = 30_000;

/**
 * Applies a batch in one transaction at `nowMs` of engine time; applying it again changes nothing, that time included.
 *
 * - A won order must not fail because its buyer's row is missing: such a user is added, without a name.
 * - Each reservation gets its row from the first of its events that is seen, once (unique reservation).
 * - `mark`, where there is one, says how far the store had come from which they were read; it is kept with them.
 * - An ending moves the row on only from a lower version, so neither a repeat nor an older event undoes it.
 */
export async function applyReservations(
  db: Database,
  events: readonly OrderingEvent[],
  { nowMs, mark }: { readonly nowMs: number; readonly mark: DataMark | undefined },
): Promise<void> {
  const firsts = new Map<ReservationId, OrderingEvent>();
  for (const event of events) if (!firsts.has(event.reservationId)) firsts.set(event.reservationId, event);
  const rows = [...firsts.values()].map((event) => rowOf(event, nowMs));
  const ends = events.filter((event) => event.type !== "reserved");
  await db.$transaction([
    giveUpAfter(db, statementMs),
    addUsers(db, [...new Set(rows.map((row) => row.userId))]),
    addOrders(db, rows),
    ...(ends.length === 0 ? [] : [endOrders(db, ends)]),
    ...(mark === undefined ? [] : [noteMark(db, mark)]),
  ]);
}

// Rows go as one JSON parameter: Prisma compiles a createMany anew for each number of rows, on the thread that also
// answers shoppers (12 of 24 s of processor time in a run of 10,000 purchases).

function giveUpAfter(db: Database, ms: number) {
  return db.$queryRaw`SELECT set_config('statement_timeout', ${String(ms)}, true)`;
}

function addUsers(db: Database, ids: readonly string[]) {
  return db.$executeRaw`
    INSERT INTO users (id, name) SELECT id, 'Shopper' FROM unnest(${ids}::text[]) AS added (id) ON CONFLICT DO NOTHING`;
}

function addOrders(db: Database, rows: readonly ReturnType<typeof rowOf>[]) {
  return db.$executeRaw`
    INSERT INTO orders (id, reservation_id, sale_id, user_id, product_id, title, quantity, amount_cents, state,
      version, pay_before, requested_at, judged_at, reserved_at, ended_at, created_at)
    SELECT id, "reservationId", "saleId", "userId", "productId", title, quantity, "amountCents", state::order_state,
      version, "payBefore", "requestedAt", "judgedAt", "reservedAt", "endedAt", "createdAt"
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS added (
      id text, "reservationId" text, "saleId" text, "userId" text, "productId" text, title text, quantity int,
      "amountCents" int, state text, version int, "payBefore" timestamptz, "requestedAt" timestamptz,
      "judgedAt" timestamptz, "reservedAt" timestamptz, "endedAt" timestamptz, "createdAt" timestamptz)
    ON CONFLICT DO NOTHING`;
}

function endOrders(db: Database, ends: readonly OrderingEvent[]) {
  return db.$executeRaw`
    UPDATE orders SET state = ended.state::order_state, version = ended.version, ended_at = ended.at
    FROM unnest(
      ${ends.map((event) => event.reservationId)}::text[],
      ${ends.map(stateAfter)}::text[],
      ${ends.map((event) => event.version)}::int[],
      ${ends.map((event) => new Date(event.atMs).toISOString())}::timestamptz[]
    ) AS ended (reservation_id, state, version, at)
    WHERE orders.reservation_id = ended.reservation_id AND orders.version < ended.version`;
}

/** Whether the row has reached this version: the question of the check-back. */
export async function hasReached(db: Database, reservationId: string, version: number): Promise<boolean> {
  const row = await db.order.findUnique({ where: { reservationId }, select: { version: true } });
  return row !== null && row.version >= version;
}
