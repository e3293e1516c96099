/**
 * Stands between an engine and its Redis in tests, and makes of the network what a test needs.
 *
 *     passing ──hold──► what comes is kept, nobody is told (a half-open connection) ──pass──► passing
 */
import { connect, createServer, type Server, type Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** Where connections made from now on go. */
  target: number;
  /** Connections open now say nothing any more: to the server, or of the server's answers. */
  hold(what: "everything" | "answers"): void;
  /** New connections say nothing either, until `pass`. */
  holdNew(): void;
  pass(): void;
  /** Ends the connections open now. */
  cut(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  holds: "nothing" | "everything" | "answers";
}

export async function openTcpProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let holdsNew = false;
  const listener = createServer((client) => {
    const server = connect(proxy.target, "127.0.0.1");
    const pair: Pair = { client, server, holds: holdsNew ? "everything" : "nothing" };
    pairs.add(pair);
    client.on("data", (bytes) => {
      if (pair.holds !== "everything") server.write(bytes);
    });
    server.on("data", (bytes) => {
      if (pair.holds === "nothing") client.write(bytes);
    });
    for (const socket of [client, server]) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        pairs.delete(pair);
        client.destroy();
        server.destroy();
      });
    }
  });
  const proxy: TcpProxy = {
    port: await listening(listener),
    target,
    hold(what) {
      for (const pair of pairs) pair.holds = what;
    },
    holdNew() {
      holdsNew = true;
    },
    pass() {
      holdsNew = false;
    },
    cut() {
      for (const { client } of pairs) client.destroy();
    },
    async close() {
      proxy.cut();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
  return proxy;
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}
