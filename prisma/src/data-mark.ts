/**
 * How far the queue's store is known to have come: its incarnation, and the highest commit whose effects may be here.
 *
 * What can go wrong: Redis loses what it acknowledged while no process runs that would remember it, a copy of last
 * night is restored, say. Stock would then sell again what orders here were already made for. So the mark is kept here,
 * in each transaction that makes orders and once a second besides, and compared at the next start.
 *
 * Promises: a mark only moves forward within an incarnation; another incarnation's changes nothing until `replaceMark`
 * says that an operator decided so.
 */
import type { DataMark } from "queue-core/redis";
import type { Database } from "./database.ts";

export type { DataMark } from "queue-core/redis";

/** Undefined where nothing is remembered. */
export async function recallMark(db: Database): Promise<DataMark | undefined> {
  const [row] = await db.$queryRaw<{ incarnation: string; sequence: bigint; fork: number }[]>`
    SELECT incarnation, sequence, fork FROM data_mark`;
  return row && { ...row, sequence: Number(row.sequence) };
}

/** A statement of its own, or the last one of a transaction: whoever else writes it waits for this transaction's end. */
export function noteMark(db: Database, { incarnation, sequence, fork = 0 }: DataMark) {
  return db.$executeRaw`
    INSERT INTO data_mark (incarnation, sequence, fork) VALUES (${incarnation}, ${sequence}, ${fork})
    ON CONFLICT (row) DO UPDATE SET sequence = EXCLUDED.sequence, fork = EXCLUDED.fork, noted_at = now()
    WHERE data_mark.incarnation = EXCLUDED.incarnation AND data_mark.sequence < EXCLUDED.sequence`;
}

/** The two as those take them who keep a mark without knowing where. */
export const markMemory = (db: Database) => ({
  recall: (): Promise<DataMark | undefined> => recallMark(db),
  note: (mark: DataMark): Promise<unknown> => noteMark(db, mark),
});

/** What was remembered is forgotten: an operator took the data as they are. */
export async function replaceMark(db: Database, { incarnation, sequence, fork = 0 }: DataMark): Promise<void> {
  await db.$executeRaw`
    INSERT INTO data_mark (incarnation, sequence, fork) VALUES (${incarnation}, ${sequence}, ${fork})
    ON CONFLICT (row) DO UPDATE
    SET incarnation = EXCLUDED.incarnation, sequence = EXCLUDED.sequence, fork = EXCLUDED.fork, noted_at = now()`;
}
