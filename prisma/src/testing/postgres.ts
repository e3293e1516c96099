/**
 * A temporary PostgreSQL for tests: own folder, own free port, gone afterwards, also with a test process that ends
 * without stopping it.
 *
 * One server per test process, started by the first database asked for; each database is a copy of a migrated
 * template (about 50 ms), so test files and tests share nothing. Synchronous commit is off and files are not
 * synced: tests kill members and connections, never this server.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { migrate } from "../migrate.ts";
import { type PostgresServer, startPostgres } from "../server/postgres-server.ts";

export interface TestDatabase {
  readonly url: string;
  /** Drops the database, closing whatever is still connected to it. */
  drop(): Promise<void>;
  /** Ends every connection and refuses new ones until `comeBack`: a database that is down. */
  goDown(): Promise<void>;
  comeBack(): Promise<void>;
}

export interface TestPostgres {
  /** A new, empty database; migrated unless told otherwise. */
  createDatabase(options?: { readonly migrated: boolean }): Promise<TestDatabase>;
  stop(): Promise<void>;
}

const template = "plateau_template";

/** Starts a server; `stop` ends it and removes its folder. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const { server, folder } = await startServer();
  const urlOf = (name: string): string => `${server.address}/${name}`;
  const admin = new pg.Pool({ connectionString: urlOf("postgres"), max: 2 });
  admin.on("error", () => undefined);
  await admin.query(`CREATE DATABASE ${template}`);
  await migrate(urlOf(template));

  let created = 0;
  return {
    async createDatabase({ migrated } = { migrated: true }) {
      const name = `plateau_${process.pid}_${++created}`;
      await admin.query(`CREATE DATABASE ${name} TEMPLATE ${migrated ? template : "template1"}`);
      const disconnect = async (): Promise<void> => {
        await admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", [name]);
      };
      return {
        url: urlOf(name),
        async drop() {
          await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
        },
        async goDown() {
          await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
          await disconnect();
        },
        async comeBack() {
          await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
        },
      };
    },
    async stop() {
      await admin.end();
      process.off("exit", server.kill);
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startServer(): Promise<{ server: PostgresServer; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "plateau-postgres-"));
  try {
    const settings = { fsync: "off", synchronous_commit: "off" };
    // Passable for the user that PostgreSQL runs as when the tests run as root.
    await chmod(folder, 0o711);
    const server = await startPostgres({ folder: join(folder, "cluster"), password: "plateau", settings });
    process.once("exit", server.kill);
    return { server, folder };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}
