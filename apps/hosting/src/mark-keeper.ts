/**
 * Tells an app's own memory, once a second, how far Redis has come.
 *
 * What can go wrong: the memory (a database) does not answer. Nobody waits for it; the next second tells more.
 */
import type { Logger } from "pino";
import type { DataMark } from "queue-core/redis";

/** Where an app keeps, outside of Redis, how far Redis is known to have come. */
export interface MarkMemory {
  recall(): Promise<DataMark | undefined>;
  note(mark: DataMark): Promise<unknown>;
}

const noteEveryMs = 1_000;

export class MarkKeeper {
  readonly #memory: MarkMemory;
  readonly #mark: () => DataMark;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  #noted: number | undefined;
  #running: Promise<void> | undefined;

  constructor(memory: MarkMemory, mark: () => DataMark, log: Logger) {
    this.#memory = memory;
    this.#mark = mark;
    this.#log = log;
    this.#timer = setInterval(() => void this.#note(), noteEveryMs).unref();
  }

  /** What is known now is told first. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
    await this.#note();
  }

  /** Resolves in any case. */
  #note(): Promise<void> {
    this.#running ??= this.#noteNow().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #noteNow(): Promise<void> {
    const mark = this.#mark();
    if (mark.sequence === this.#noted) return;
    try {
      await this.#memory.note(mark);
      this.#noted = mark.sequence;
    } catch (error) {
      this.#log.debug({ err: error }, "how far Redis has come could not be noted");
    }
  }
}
