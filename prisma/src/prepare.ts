/**
 * A database brought to where a system can work on it: migrated, claimed for the system's log, and seeded.
 *
 * What can go wrong: several processes start at once on one database. Migrations and the seed each run one after
 * another (advisory locks), and a second one finds nothing left to do.
 */
import type { Engine } from "queue-core";
import { type Database, type DatabaseOptions, openDatabase } from "./database.ts";
import { logIdOf } from "./log-id.ts";
import { claimForLog } from "./log-identity.ts";
import { migrate } from "./migrate.ts";
import { type SeedResult, seed } from "./seed.ts";

/** It belongs to another log: its orders do not fit the stock of this one. */
export class ForeignDatabase extends Error {
  override readonly name = "ForeignDatabase";
}

export interface PreparedDatabase extends SeedResult {
  readonly db: Database;
}

/** Rejects with ForeignDatabase. `engine` may still be opening: what does not need it is done meanwhile. */
export async function prepareDatabase({
  url,
  engine: opening,
  ...options
}: DatabaseOptions & {
  readonly url: string;
  readonly engine: Engine | Promise<Engine>;
}): Promise<PreparedDatabase> {
  await migrate(url);
  const engine = await opening;
  const db = openDatabase(url, options);
  try {
    return { db, ...(await claimAndSeed(db, engine)) };
  } catch (error) {
    await db.$disconnect();
    throw error;
  }
}

/** The same for a database that is migrated and open. Rejects with ForeignDatabase. */
export async function claimAndSeed(db: Database, engine: Engine): Promise<SeedResult> {
  if (!(await claimForLog(db, await logIdOf(engine)))) throw new ForeignDatabase("the database has another log");
  return seed(db, { now: new Date() });
}

/** The database alone, migrated: for what has to be known before the engine is opened. */
export async function openMigrated(url: string, options: DatabaseOptions = {}): Promise<Database> {
  await migrate(url);
  return openDatabase(url, options);
}
