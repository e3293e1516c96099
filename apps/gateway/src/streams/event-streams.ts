/**
 * Server-sent events (SSE): who holds a stream, and how one is written to.
 *
 * What can go wrong: streams are connections that never end, so one user may hold a few and all together a bounded
 * number. A reader that does not read makes its events pile up here: it is dropped once more than a bound lies
 * unread. A connection through a proxy that closes idle ones needs a heartbeat.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { ProblemError } from "../edge/problem.ts";
import type { StreamLimits } from "../gateway-options.ts";

/** Told to browsers: how long to wait before they come back. */
const reconnectAfterMs = 1_500;

export interface EventStream {
  /** False once the reader is gone. */
  readonly open: boolean;
  /** `data` is JSON text. */
  send(event: string, data: string): void;
  onClose(listener: () => void): void;
  /** After everything sent so far. */
  end(): void;
}

export class EventStreams {
  readonly #limits: StreamLimits;
  readonly #open = new Set<OpenStream>();
  readonly #perUser = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #dropped = 0;

  constructor(limits: StreamLimits, heartbeatMs: number) {
    this.#limits = limits;
    this.#timer = setInterval(() => {
      for (const stream of this.#open) stream.write(":\n\n");
    }, heartbeatMs).unref();
  }

  get statistics(): { readonly open: number; readonly dropped: number } {
    return { open: this.#open.size, dropped: this.#dropped };
  }

  /** `user` counts towards the cap per user. Throws throttled (429) or overloaded (503). */
  start(request: FastifyRequest, reply: FastifyReply, user: string): EventStream {
    const held = this.#perUser.get(user) ?? 0;
    if (held >= this.#limits.perUser) {
      throw new ProblemError("throttled", "Too many event streams", {
        retryAfterMs: 5_000,
        members: { limit: "streams" },
      });
    }
    if (this.#open.size >= this.#limits.total) {
      throw new ProblemError("overloaded", "Too many event streams; poll instead", { retryAfterMs: 5_000 });
    }
    reply.hijack();
    this.#perUser.set(user, held + 1);
    const stream = new OpenStream(reply, this.#limits.maxBufferedBytes, () => this.#dropped++);
    this.#open.add(stream);
    stream.onClose(() => {
      this.#open.delete(stream);
      const left = (this.#perUser.get(user) ?? 1) - 1;
      if (left === 0) this.#perUser.delete(user);
      else this.#perUser.set(user, left);
    });
    stream.begin(request);
    return stream;
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const stream of this.#open) stream.end();
  }
}

class OpenStream implements EventStream {
  readonly #reply: FastifyReply;
  readonly #maxBufferedBytes: number;
  readonly #onDrop: () => void;
  readonly #listeners: (() => void)[] = [];
  open = true;

  constructor(reply: FastifyReply, maxBufferedBytes: number, onDrop: () => void) {
    this.#reply = reply;
    this.#maxBufferedBytes = maxBufferedBytes;
    this.#onDrop = onDrop;
  }

  begin(request: FastifyRequest): void {
    const { raw } = this.#reply;
    raw.on("close", () => this.#close());
    raw.on("error", () => this.#close());
    request.raw.socket.setNoDelay(true);
    raw.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
      connection: "keep-alive",
    });
    this.write(`retry: ${reconnectAfterMs}\n\n`);
  }

  send(event: string, data: string): void {
    this.write(`event: ${event}\ndata: ${data}\n\n`);
  }

  write(text: string): void {
    const { raw } = this.#reply;
    if (!this.open || raw.writableEnded) return;
    raw.write(text);
    if (raw.writableLength > this.#maxBufferedBytes) {
      this.#onDrop();
      raw.destroy();
      this.#close();
    }
  }

  onClose(listener: () => void): void {
    if (this.open) this.#listeners.push(listener);
    else listener();
  }

  end(): void {
    if (!this.#reply.raw.writableEnded) this.#reply.raw.end();
  }

  #close(): void {
    if (!this.open) return;
    this.open = false;
    for (const listener of this.#listeners) listener();
  }
}
