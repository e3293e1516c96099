/** Events to many readers: each is made into text once. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { EventStream, EventStreams } from "./event-streams.ts";

export class Broadcast {
  readonly #streams: EventStreams;
  readonly #event: string;
  readonly #readers = new Set<EventStream>();
  #last: string | undefined;

  constructor(streams: EventStreams, event: string) {
    this.#streams = streams;
    this.#event = event;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** The reader gets the last event at once. */
  add(request: FastifyRequest, reply: FastifyReply, user: string): void {
    const stream = this.#streams.start(request, reply, user);
    this.#readers.add(stream);
    stream.onClose(() => this.#readers.delete(stream));
    if (this.#last !== undefined) stream.send(this.#event, this.#last);
  }

  send(value: unknown): void {
    this.#last = JSON.stringify(value);
    for (const stream of this.#readers) stream.send(this.#event, this.#last);
  }

  /** Another kind of event, which who comes later does not get. */
  sendOnce(event: string, value: unknown): void {
    if (this.#readers.size === 0) return;
    const text = JSON.stringify(value);
    for (const stream of this.#readers) stream.send(event, text);
  }
}
