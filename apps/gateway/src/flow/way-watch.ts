/**
 * The way as it stands each second, without a look at it while it stands still.
 *
 * What can go wrong: numbers that rest while messages move. A group moves only on messages that waited for it, or that
 * came since. So the way is read anew where anything was appended to it since the last reading began, where anything
 * waited then, where that reading failed, and every 10 s whatever was heard.
 */
import type { Queue } from "queue-core";
import { edges, readWay, type WayReading } from "./way.ts";

const readAnywayMs = 10_000;
const watched: ReadonlySet<string> = new Set(edges.map(({ topic }) => topic.name));

export class WayWatch {
  readonly #queue: Queue;
  readonly #unsubscribe: () => void;
  #hasNews = true;
  #latest: WayReading | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(queue: Queue) {
    this.#queue = queue;
    this.#unsubscribe = queue.engine.onAppend((topic) => {
      if (watched.has(topic)) this.#hasNews = true;
    });
  }

  stop(): void {
    this.#unsubscribe();
  }

  async read(): Promise<WayReading> {
    const nowMs = this.#queue.now();
    if (this.#latest !== undefined && !this.#mayHaveMoved(this.#latest, nowMs)) return { ...this.#latest, atMs: nowMs };
    this.#hasNews = false;
    this.#latest = undefined;
    const reading = await readWay(this.#queue);
    this.#readAtMs = nowMs;
    this.#latest = reading;
    return reading;
  }

  #mayHaveMoved({ edges }: WayReading, nowMs: number): boolean {
    return this.#hasNews || nowMs - this.#readAtMs >= readAnywayMs || edges.some(({ lagMessages }) => lagMessages > 0);
  }
}
