/**
 * A small TCP proxy whose connections can be made to lag or to go half-open.
 *
 * What a half-open connection is: the peer is gone, and nobody said so. No byte comes any more, no reset, no end; what
 * is written goes nowhere. For the client, connections that were open when `hold` was called stay so for good, also
 * after `release`, as they would behind a router that lost its table; new ones work again then. The server's ends are
 * closed by then, as its keep-alive would have done: otherwise they would use up what it allows.
 */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** Bytes that were held back or swallowed since the last `hold` or `lag`; a fault that hit nothing shows 0. */
  readonly hitBytes: number;
  /** Every connection goes half-open, and so does each new one, until `release`. */
  hold(): void;
  /** Every chunk comes so much later, in order. */
  lag(ms: number): void;
  release(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  isDead: boolean;
}

export async function openTcpProxy(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let mode: "open" | "held" = "open";
  let lagMs = 0;
  let hitBytes = 0;

  const pass = (pair: Pair, from: Socket, to: Socket): void => {
    // Bytes never overtake each other: one queue, and whoever comes while something waits waits behind it.
    const waiting: { readonly chunk: Buffer; readonly dueMs: number }[] = [];
    const drain = (): void => {
      for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
        const leftMs = first.dueMs - performance.now();
        if (leftMs > 0) {
          setTimeout(drain, leftMs);
          return;
        }
        waiting.shift();
        if (!pair.isDead && !to.destroyed) to.write(first.chunk);
      }
    };
    from.on("data", (chunk: Buffer) => {
      if (pair.isDead) {
        hitBytes += chunk.length;
        return;
      }
      if (lagMs > 0) hitBytes += chunk.length;
      waiting.push({ chunk, dueMs: performance.now() + lagMs });
      if (waiting.length === 1) drain();
    });
    from.on("error", () => undefined);
    from.on("close", () => {
      // Of a dead connection the other end does not hear.
      if (!pair.isDead) to.destroy();
      if (pair.client.destroyed && pair.upstream.destroyed) pairs.delete(pair);
    });
  };

  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ ...target, noDelay: true });
    const pair: Pair = { client, upstream, isDead: mode === "held" };
    pairs.add(pair);
    pass(pair, client, upstream);
    pass(pair, upstream, client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy listens on no port");

  return {
    port: address.port,
    get hitBytes() {
      return hitBytes;
    },
    hold() {
      hitBytes = 0;
      mode = "held";
      for (const pair of pairs) pair.isDead = true;
    },
    lag(ms) {
      hitBytes = 0;
      lagMs = ms;
    },
    release() {
      mode = "open";
      lagMs = 0;
      for (const { isDead, upstream } of pairs) if (isDead) upstream.destroy();
    },
    async close() {
      for (const { client, upstream } of pairs) for (const end of [client, upstream]) end.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
