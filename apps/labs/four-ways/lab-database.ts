/**
 * The experiment's corner of PostgreSQL: a schema of its own, and connections that count what they are used for.
 *
 * What can go wrong:
 * - A killed run leaves its schema and connections behind: `claim` ends and drops them before it makes anything.
 * - Two runs on one database would drop each other's tables: an advisory lock lets one in, the other is told.
 * - A commit on the disk of one laptop is too quick to show what many of them cost. Here each waits a few ms for a
 *   second copy, with its row locks held, as with a synchronous standby: a deferred trigger, once per transaction.
 *
 * Promise: nothing outside the schema is read or changed, and after `drop` nothing is left.
 */
import { StartProblem } from "@plateau/hosting";
import pg from "pg";
import { Slots } from "./slots.ts";

const schema = "four_ways";
const application = "plateau-four-ways";
/** PostgreSQL takes a moment to notice that a killed client is gone. */
const claimWithinMs = 2_000;

const tables = (commitWaitMs: number): string => `
  CREATE SCHEMA ${schema};
  CREATE TABLE ${schema}.stock (
    sale_id text PRIMARY KEY, units int NOT NULL, available int NOT NULL CHECK (available BETWEEN 0 AND units));
  CREATE TABLE ${schema}.orders (purchase_id text PRIMARY KEY, sale_id text NOT NULL, user_id text NOT NULL);
  CREATE TABLE ${schema}.counted (purchase_id text PRIMARY KEY);
  CREATE TABLE ${schema}.statistics (sale_id text PRIMARY KEY, won int NOT NULL);
  CREATE FUNCTION ${schema}.second_copy() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF current_setting('four_ways.copied', true) IS DISTINCT FROM 'yes' THEN
      PERFORM set_config('four_ways.copied', 'yes', true);
      PERFORM pg_sleep(${commitWaitMs / 1_000});
    END IF;
    RETURN NULL;
  END $$;
  ${["stock", "orders", "counted"]
    .map(
      (table) => `CREATE CONSTRAINT TRIGGER copied AFTER INSERT OR UPDATE ON ${schema}.${table}
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ${schema}.second_copy();`,
    )
    .join("\n")}`;

export interface ClaimedSchema {
  /** Waits for what still uses it. */
  drop(): Promise<void>;
}

/** Throws StartProblem where another run has it. */
export async function claim(url: string, settings: { readonly commitWaitMs: number }): Promise<ClaimedSchema> {
  const client = new pg.Client({ connectionString: url, application_name: `${application}-owner` });
  client.on("error", () => undefined);
  await client.connect();
  try {
    await lock(client);
    await endConnections(client);
    await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await client.query(tables(settings.commitWaitMs));
  } catch (error) {
    await client.end();
    throw error;
  }
  return {
    async drop() {
      await client.query(`DROP SCHEMA ${schema} CASCADE`).finally(() => client.end());
    },
  };
}

async function lock(client: pg.Client): Promise<void> {
  for (const untilMs = performance.now() + claimWithinMs; ; ) {
    const { rows } = await client.query("SELECT pg_try_advisory_lock(hashtext($1)) AS mine", [application]);
    if (rows[0]?.mine === true) return;
    if (performance.now() > untilMs) throw new StartProblem("the four ways already run on this database");
    await client.query("SELECT pg_sleep(0.1)");
  }
}

/** Those of a run that was killed. */
async function endConnections(client: pg.Client): Promise<void> {
  await client.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()",
    [application],
  );
}

/** Counted since it was opened. */
export interface DatabaseUse {
  readonly statements: number;
  /** Time that connections spent on statements, added up. */
  readonly busyMs: number;
}

export class LabDatabase {
  readonly #pool: pg.Pool;
  readonly #slots: Slots;
  #statements = 0;
  #busyMs = 0;
  /** Since when each statement under way runs. */
  readonly #running = new Set<{ readonly sinceMs: number }>();

  constructor(url: string, connections: number) {
    this.#slots = new Slots(connections);
    this.#pool = new pg.Pool({
      connectionString: url,
      max: connections,
      application_name: application,
      options: `-c search_path=${schema}`,
    });
    this.#pool.on("error", () => undefined);
  }

  get use(): DatabaseUse {
    const nowMs = performance.now();
    const underWayMs = [...this.#running].reduce((sum, { sinceMs }) => sum + nowMs - sinceMs, 0);
    return { statements: this.#statements, busyMs: this.#busyMs + underWayMs };
  }

  /** Waits in line for a connection; rejects with TooLate where that takes beyond the deadline. */
  query<R extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[],
    deadlineMs?: number,
  ): Promise<readonly R[]> {
    return this.#slots.run(async () => {
      this.#statements += 1;
      const running = { sinceMs: performance.now() };
      this.#running.add(running);
      try {
        return (await this.#pool.query<R>(text, [...values])).rows;
      } finally {
        this.#running.delete(running);
        this.#busyMs += performance.now() - running.sinceMs;
      }
    }, deadlineMs);
  }

  async stop(): Promise<void> {
    await this.#pool.end();
  }
}
