/**
 * SQLite as a queue: a table with an ascending id, and the consumer's place in another.
 *
 * Set up as documented: `journal_mode=WAL` with `synchronous=FULL`, under which each commit is synced to disk
 * (https://www.sqlite.org/pragma.html#pragma_synchronous), and many inserts to one transaction by one prepared
 * statement (https://www.sqlite.org/faq.html#q19). 256 in flight are 256 to a transaction: the group commit that the
 * log makes of whatever came meanwhile is made by hand here. `node:sqlite` answers within the call, so its side pays
 * for no promises and no thread.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { purchase } from "../../../queue-core/bench/bed.ts";
import { publishersInFlight, type Rival } from "./rival.ts";

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE stored (id INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT NOT NULL) STRICT;
  CREATE TABLE consumed (id INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT NOT NULL) STRICT;
  CREATE TABLE places (consumer TEXT PRIMARY KEY, id INTEGER NOT NULL) STRICT;
  INSERT INTO places VALUES ('one', 0);
`;

export function openSqlite(folder: string): Rival {
  mkdirSync(folder, { recursive: true });
  const database = new DatabaseSync(join(folder, "queue.sqlite"));
  database.exec(schema);
  const insertInto = (table: string) => database.prepare(`INSERT INTO ${table} (key, value) VALUES (?, ?)`);
  const [intoStored, intoConsumed] = [insertInto("stored"), insertInto("consumed")];
  const next = database.prepare("SELECT id, value FROM consumed WHERE id > ? ORDER BY id LIMIT ?");
  const move = database.prepare("UPDATE places SET id = ? WHERE consumer = 'one'");
  let place = 0;

  const insertBatch = (insert: typeof intoStored, first: number, count: number): void => {
    database.exec("BEGIN IMMEDIATE");
    for (let number = first; number < first + count; number++) {
      const value = purchase(number);
      insert.run(value.user, JSON.stringify(value));
    }
    database.exec("COMMIT");
  };
  const consumeBatch = (): number => {
    const rows = next.all(place, publishersInFlight) as { id: number; value: string }[];
    for (const { value } of rows) JSON.parse(value);
    const last = rows[rows.length - 1];
    if (last === undefined) return 0;
    place = last.id;
    move.run(place);
    return rows.length;
  };
  const timed = (run: () => void): number => {
    const startedMs = performance.now();
    run();
    return performance.now() - startedMs;
  };
  const batches = (count: number, run: (from: number, size: number) => void): void => {
    for (let from = 0; from < count; from += publishersInFlight) run(from, Math.min(publishersInFlight, count - from));
  };
  return {
    name: "SQLite, WAL, synchronous FULL",
    durability: "synced to disk",
    messagesPerRound: 50_000,
    publish: async (first, count) =>
      timed(() => batches(count, (from, size) => insertBatch(intoStored, first + from, size))),
    publishAndConsume: async (first, count) =>
      timed(() => {
        let handled = 0;
        batches(count, (from, size) => {
          insertBatch(intoConsumed, first + from, size);
          handled += consumeBatch();
        });
        if (handled !== count) throw new Error(`${handled} of ${count} messages came out of SQLite`);
      }),
    stop: async () => database.close(),
  };
}
