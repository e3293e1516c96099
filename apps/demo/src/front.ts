/**
 * One origin before several gateways: each connection goes to the next gateway in turn.
 *
 * It passes bytes and understands none of them, so streams, uploads and errors are the gateways' own. What can go
 * wrong: a gateway is gone though nobody said so; then the next one is tried, as long as nothing was sent. There is
 * none at all, between two starts; a connection waits a moment for one, then gets 503. A gateway that is to stop is
 * taken out first: no new connections come, those that it has it ends by itself. All gateways see this machine as
 * their client, so limits per address do not tell clients apart here: before a shop that is open to the world stands
 * a proxy that tells whom it serves (TRUSTED_PROXIES).
 */
import { connect, createServer, type Server, type Socket } from "node:net";

interface Target {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

const waitForTargetMs = 3_000;
const lookAgainMs = 50;

const body = JSON.stringify({
  type: "/problems/unavailable",
  title: "Not available just now",
  status: 503,
  code: "unavailable",
});
const unavailable = [
  "HTTP/1.1 503 Service Unavailable",
  "Content-Type: application/problem+json; charset=utf-8",
  `Content-Length: ${Buffer.byteLength(body)}`,
  "Retry-After: 2",
  "Connection: close",
  "",
  body,
].join("\r\n");

export class Front {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #targets: readonly Target[] = [];
  #turn = 0;
  #isStopped = false;

  private constructor() {
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
      this.#keep(client);
      void this.#pass(client);
    });
  }

  /** Rejects where the port cannot be bound. */
  static async listen(host: string, port: number): Promise<Front> {
    const front = new Front();
    await new Promise<void>((resolve, reject) => {
      front.#server.once("error", reject);
      front.#server.listen({ host, port, backlog: 2_048 }, resolve);
    });
    return front;
  }

  /** From now on connections go to this gateway too, or, if it moved, to where it is now. */
  put(name: string, url: string): void {
    const { hostname, port } = new URL(url);
    this.remove(name);
    this.#targets = [...this.#targets, { name, host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) }];
  }

  /** New connections go elsewhere. */
  remove(name: string): void {
    this.#targets = this.#targets.filter((target) => target.name !== name);
  }

  /** Cuts what is still open. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#open) socket.destroy();
    await closed;
  }

  async #pass(client: Socket): Promise<void> {
    const giveUpAtMs = performance.now() + waitForTargetMs;
    while (!this.#isStopped && !client.destroyed) {
      const gateway = await this.#reach();
      if (gateway !== undefined) {
        this.#join(client, gateway);
        return;
      }
      if (performance.now() > giveUpAtMs) {
        client.resume();
        client.end(unavailable);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
    }
    client.destroy();
  }

  /** A connection to the next gateway that takes one; undefined where none does. */
  async #reach(): Promise<Socket | undefined> {
    const targets = this.#targets;
    const first = this.#turn++;
    for (let step = 0; step < targets.length; step++) {
      const target = targets[(first + step) % targets.length];
      const gateway = target === undefined ? undefined : await this.#connect(target);
      if (gateway !== undefined) return gateway;
    }
    return undefined;
  }

  #connect({ host, port }: Target): Promise<Socket | undefined> {
    return new Promise((resolve) => {
      const gateway = connect({ host, port, allowHalfOpen: true, noDelay: true });
      this.#keep(gateway);
      gateway.once("connect", () => resolve(gateway));
      gateway.once("error", () => resolve(undefined));
    });
  }

  #join(client: Socket, gateway: Socket): void {
    client.once("close", () => gateway.destroy());
    gateway.once("close", () => client.destroy());
    client.pipe(gateway);
    gateway.pipe(client);
    if (client.destroyed) gateway.destroy();
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    // A broken connection is its two ends' business.
    socket.on("error", () => undefined);
    socket.once("close", () => this.#open.delete(socket));
  }
}
