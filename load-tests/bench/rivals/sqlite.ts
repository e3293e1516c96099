/**
 * SQLite as a queue: a table with an ascending id, and the consumer's place in another.
 *
 * Set up as documented: `journal_mode=WAL` with `synchronous=FULL`, under which each commit is synced to disk
 * (https://www.sqlite.org/pragma.html#pragma_synchronous), and many inserts to one transaction by one prepared
 * statement (https://www.sqlite.org/faq.html#q19): what 256 publishers ask for in one turn of the event loop is one
 * transaction. `node:sqlite` answers within the call: its thread waits for the disk and does nothing else meanwhile.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { purchase } from "../../../queue-core/bench/bed.ts";
import { inFlight } from "../../../queue-core/bench/in-flight.ts";
import { GatheredPublishes } from "./gathered-publishes.ts";
import { HandledCount, publishersInFlight, type Rival } from "./rival.ts";

const readAtOnce = 256;

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
  const intoStored = gathered(database, "stored");
  const intoConsumed = gathered(database, "consumed");
  const consumer = new TableConsumer(database);
  return {
    name: "SQLite, WAL, synchronous FULL",
    durability: "synced to disk",
    messagesPerRound: 50_000,
    publish: (first, count) => inFlight(count, publishersInFlight, (number) => intoStored.publish(first + number)),
    async publishAndConsume(first, count) {
      const startedMs = performance.now();
      const all = consumer.handled.next(count);
      consumer.wake();
      await inFlight(count, publishersInFlight, (number) => intoConsumed.publish(first + number));
      await all;
      return performance.now() - startedMs;
    },
    async stop() {
      consumer.stop();
      database.close();
    },
  };
}

function gathered(database: DatabaseSync, table: string): GatheredPublishes {
  const insert = database.prepare(`INSERT INTO ${table} (key, value) VALUES (?, ?)`);
  return new GatheredPublishes(publishersInFlight, async (numbers) => {
    database.exec("BEGIN IMMEDIATE");
    for (const number of numbers) {
      const value = purchase(number);
      insert.run(value.user, JSON.stringify(value));
    }
    database.exec("COMMIT");
  });
}

/** Looks once a turn of the event loop while there is something to wait for. */
class TableConsumer {
  readonly handled = new HandledCount();
  readonly #next: StatementSync;
  readonly #move: StatementSync;
  #place = 0;
  #mode: "asleep" | "awake" | "stopped" = "asleep";

  constructor(database: DatabaseSync) {
    this.#next = database.prepare("SELECT id, value FROM consumed WHERE id > ? ORDER BY id LIMIT ?");
    this.#move = database.prepare("UPDATE places SET id = ? WHERE consumer = 'one'");
  }

  wake(): void {
    if (this.#mode !== "asleep") return;
    this.#mode = "awake";
    void this.#run();
  }

  stop(): void {
    this.#mode = "stopped";
  }

  async #run(): Promise<void> {
    while (this.#mode === "awake") {
      this.#consumeBatch();
      await nextTurn();
    }
  }

  #consumeBatch(): void {
    const rows = this.#next.all(this.#place, readAtOnce) as { id: number; value: string }[];
    const last = rows[rows.length - 1];
    if (last === undefined) return;
    for (const { value } of rows) JSON.parse(value);
    this.#place = last.id;
    this.#move.run(this.#place);
    this.handled.add(rows.length);
  }
}
