/** Holds the embedded PostgreSQL, so that it ends also when the supervisor is killed. */

import { hostProcess } from "@plateau/hosting";
import { startPostgres } from "@plateau/prisma/server";
import { required } from "./required-variable.ts";

export interface PostgresReady {
  /** Connection string without a database. */
  readonly address: string;
  readonly pid: number;
}

process.title = "plateau-postgres";

hostProcess<PostgresReady>(async () => {
  const server = await startPostgres({
    folder: required("POSTGRES_FOLDER"),
    password: required("POSTGRES_PASSWORD"),
    ...(process.env.POSTGRES_PORT === undefined ? {} : { port: Number(process.env.POSTGRES_PORT) }),
    settings: {
      max_connections: "60",
      shared_buffers: "64MB",
      // A sale's events come in bursts; fewer, larger checkpoints keep them from competing for the disk.
      max_wal_size: "512MB",
      checkpoint_timeout: "15min",
    },
    onOutput: (line) => {
      if (/ (PANIC|FATAL): /.test(line) && !/the database system is starting up/.test(line)) console.error(line);
    },
  });
  return {
    ready: { address: server.address, pid: server.pid },
    stop: () => server.stop(),
    failed: server.ended.then(() => "PostgreSQL ended"),
  };
});
