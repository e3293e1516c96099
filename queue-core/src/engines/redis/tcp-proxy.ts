/**
 * Stands between an engine and its Redis in tests, and makes of the network what a test needs.
 *
 *     passing ──hold──► a half-open connection: what comes is dropped, or kept until `deliverLate`
 */
import { connect, createServer, type Server, type Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** Where connections made from now on go. */
  target: number;
  /** Connections open now say nothing any more. `requests`: what is sent comes to the server with `deliverLate`. */
  hold(what: "everything" | "answers" | "requests"): void;
  /** Also where whoever sent it has gone. */
  deliverLate(): void;
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
  holds: "nothing" | "everything" | "answers" | "requests";
  readonly late: Buffer[];
}

export async function openTcpProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let holdsNew = false;
  const listener = createServer((client) => {
    const server = connect(proxy.target, "127.0.0.1");
    const pair: Pair = { client, server, holds: holdsNew ? "everything" : "nothing", late: [] };
    pairs.add(pair);
    client.on("data", (bytes) => {
      if (pair.holds === "requests") pair.late.push(bytes);
      else if (pair.holds !== "everything") server.write(bytes);
    });
    server.on("data", (bytes) => {
      if (pair.holds === "nothing") client.write(bytes);
    });
    for (const socket of [client, server]) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        client.destroy();
        if (pair.late.length > 0 && !server.destroyed) return;
        pairs.delete(pair);
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
    deliverLate() {
      for (const { server, late } of pairs) for (const bytes of late.splice(0)) server.write(bytes);
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
      for (const { server } of pairs) server.destroy();
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
