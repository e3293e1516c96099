/**
 * A connection that is there again after it broke.
 *
 *     connecting ──ready──► up ──breaks, or a deadline passes──► waiting (10 ms … 1 s) ──► connecting
 *         └─────fails─────────────────────────────────────────────────▲            close ──► closed
 *
 * What can go wrong: a half-open connection on which commands never settle; a client that repairs itself and sends
 * again what it had sent before. Promises: a connection that missed a deadline is given up and a new one made, never
 * repaired; nothing is sent twice here; no error tells more of the address than host and port.
 */
import { type Cluster, Redis } from "ioredis";
import { QueueError } from "../../errors.ts";
import { describeFault } from "./connection.ts";

export type RedisClient = Redis | Cluster;

/** A command that has no answer. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
  /** False where it certainly never left this process. */
  readonly wasSent: boolean;

  constructor(message: string, wasSent: "sent" | "kept") {
    super(message);
    this.wasSent = wasSent === "sent";
  }
}

/** What ioredis says of a command that it did not send. */
const keptMessage = /isn't writeable|is already connecting|None of startup nodes/;

const pauses = { firstMs: 10, longestMs: 1_000 };

export class Link {
  readonly #create: () => RedisClient;
  readonly #connectWithinMs: number;
  #client: RedisClient | undefined;
  #isUp = false;
  #isClosed = false;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #fault = "it was never there";
  readonly #waiting = new Set<() => void>();
  /** Commands without an answer yet: ended when their connection is. */
  readonly #pending = new Map<RedisClient, Set<(error: Error) => void>>();
  /** Grows with each new connection. */
  generation = 0;
  /** How often something was sent; what one turn of the event loop sends goes together and counts once. */
  roundTrips = 0;

  /** @param connectWithinMs for the whole of it: a server may take a connection and then say nothing. */
  constructor(create: () => RedisClient, connectWithinMs: number) {
    this.#create = create;
    this.#connectWithinMs = connectWithinMs;
    this.#connect();
  }

  /** The connection once it is up; undefined after `waitMs` without one, or when closed. */
  async up(waitMs: number): Promise<RedisClient | undefined> {
    const endMs = performance.now() + waitMs;
    while (!this.#isUp) {
      const leftMs = endMs - performance.now();
      if (this.#isClosed || leftMs <= 0) return undefined;
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          this.#waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, leftMs);
        this.#waiting.add(done);
      });
    }
    return this.#client;
  }

  /** Why there is no connection, for an error's text. */
  get fault(): string {
    return this.#fault;
  }

  /** Rejects with NoAnswer where the connection broke or said nothing for `deadlineMs`; with Redis's own refusal else. */
  send(client: RedisClient, command: string, args: readonly (string | Buffer | number)[], deadlineMs: number) {
    return new Promise<unknown>((resolve, reject) => {
      const pending = this.#pending.get(client);
      if (pending === undefined) {
        reject(new NoAnswer(this.#fault, "kept"));
        return;
      }
      const timer = setTimeout(() => this.#giveUp(client, `no answer within ${deadlineMs} ms`), deadlineMs);
      const end = (error: Error) => {
        clearTimeout(timer);
        pending.delete(end);
        reject(error);
      };
      pending.add(end);
      if (leads(client)) this.roundTrips++;
      client.callBuffer(command, [...args]).then(
        (result) => {
          clearTimeout(timer);
          pending.delete(end);
          resolve(result);
        },
        (error: Error) => {
          if (error.name === "ReplyError") {
            end(error);
            return;
          }
          const text = describeFault(error);
          end(new NoAnswer(text, keptMessage.test(text) ? "kept" : "sent"));
          // Asked again at once it would say the same, and leave the event loop no turn in which to say that it ended.
          this.#giveUp(client, text);
        },
      );
    });
  }

  /** Ends the connection and makes a new one. */
  giveUp(client: RedisClient, why: string): void {
    this.#giveUp(client, why);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    if (this.#client !== undefined) this.#drop(this.#client, new QueueError("CLOSED"));
    for (const done of [...this.#waiting]) done();
  }

  #connect(): void {
    const client = this.#create();
    this.#client = client;
    this.#pending.set(client, new Set());
    client.on("error", (error: Error) => {
      this.#fault = describeFault(error);
    });
    client.on("end", () => this.#giveUp(client, this.#isUp ? "the connection broke" : this.#fault));
    const why = `no connection within ${this.#connectWithinMs} ms`;
    const overdue = setTimeout(() => this.#giveUp(client, why), this.#connectWithinMs);
    client.connect().then(
      () => {
        clearTimeout(overdue);
        if (this.#client !== client) return;
        this.#isUp = true;
        this.#failures = 0;
        this.generation++;
        for (const done of [...this.#waiting]) done();
      },
      (error: Error) => {
        clearTimeout(overdue);
        this.#giveUp(client, describeFault(error));
      },
    );
  }

  #giveUp(client: RedisClient, why: string): void {
    if (this.#client !== client || this.#isClosed) return;
    this.#fault = why;
    this.#drop(client, new NoAnswer(why, "sent"));
    const pauseMs = Math.min(pauses.longestMs, pauses.firstMs * 2 ** this.#failures++);
    this.#retry = setTimeout(() => this.#connect(), pauseMs);
  }

  #drop(client: RedisClient, error: Error): void {
    this.#isUp = false;
    this.#client = undefined;
    const pending = this.#pending.get(client);
    this.#pending.delete(client);
    client.disconnect();
    for (const end of [...(pending ?? [])]) end(error);
  }
}

const gathering = new WeakSet<object>();

/**
 * What one turn of the event loop sends goes out together: a write to a socket costs as much as a small command. True
 * for the first of a turn; to the nodes of a cluster each goes by itself.
 */
function leads(client: RedisClient): boolean {
  if (!(client instanceof Redis)) return true;
  const { stream } = client;
  if (stream === undefined) return true;
  if (gathering.has(stream)) return false;
  gathering.add(stream);
  stream.cork();
  setImmediate(() => {
    gathering.delete(stream);
    stream.uncork();
  });
  return true;
}
