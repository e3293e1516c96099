/** Opens the database client. Connections are made when first needed, so opening never fails for a database that is down. */
import { Socket } from "node:net";
import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "../generated/client.ts";

export type Database = PrismaClient;

export interface DatabaseOptions {
  /** Connections at most; default 10. */
  readonly poolSize?: number;
  /** How long a query may wait for a connection before it fails, ms; default 5,000. */
  readonly connectTimeoutMs?: number;
  /**
   * A connection on which nothing came or went for so long is given up, ms; default 15,000. Without it one whose other
   * end is gone, and never said so, would be waited for for ever. The pool itself closes idle ones after 10 s.
   */
  readonly silentMs?: number;
  /** Told about idle connections that broke; without it they are replaced silently when next needed. */
  readonly onConnectionError?: (error: Error) => void;
  /** How much later than it is sent each query goes out, ms; 0 for none. A fault to be ordered: a slow database. */
  readonly delayMs?: () => number;
}

/** `url` is a PostgreSQL connection string. End it with `$disconnect()`. */
export function openDatabase(url: string, options: DatabaseOptions = {}): Database {
  const onError = options.onConnectionError ?? (() => undefined);
  const adapter = new PrismaPg(
    {
      connectionString: url,
      max: options.poolSize ?? 10,
      connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
      stream: () => delayed(socketGivenUpAfter(options.silentMs ?? 15_000), options.delayMs),
    },
    { onPoolError: onError, onConnectionError: onError },
  );
  return new PrismaClient({ adapter });
}

function socketGivenUpAfter(silentMs: number): Socket {
  const socket = new Socket();
  const giveUp = (): void => void socket.destroy(new Error(`Connection terminated: silent for ${silentMs} ms`));
  return socket.setTimeout(silentMs, giveUp);
}

/** In their order. The messages of one query are sent together and go out together: the delay is asked for once. */
function delayed(socket: Socket, delayMs: (() => number) | undefined): Socket {
  if (delayMs === undefined) return socket;
  const send = socket.write.bind(socket) as (...sent: unknown[]) => boolean;
  let waiting = 0;
  let dueAtMs = 0;
  let last: Promise<void> = Promise.resolve();
  const write = (...sent: unknown[]): boolean => {
    if (waiting === 0) {
      const byMs = delayMs();
      if (byMs <= 0) return send(...sent);
      dueAtMs = performance.now() + byMs;
    }
    waiting++;
    last = last.then(async () => {
      const leftMs = dueAtMs - performance.now();
      if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs));
      waiting--;
      if (socket.writable) send(...sent);
    });
    return true;
  };
  // Not before: `connect` puts a socket's own `write` back.
  return socket.once("connect", () => Object.assign(socket, { write }));
}
