/**
 * Tells of what other engines committed: one blocking read, on a connection of its own, of the cell's `bell`.
 *
 * Each call that stored something adds an entry: who called, the sequences it was given, and which partitions and
 * namespaces it touched.
 *
 * What can go wrong: a blocking read that never returns (its deadline ends the connection, and a new one goes on
 * where it was); entries that were trimmed before this engine came to read them. Promises: sequences without a gap
 * were all told; after a gap everything counts as touched. What comes within `everyMs` of the last read is told
 * together: where nobody waits for it, hearing of each commit by itself costs more than the commits. Health is progress: `silentMs` is how long ago the last
 * answer came, and a healthy bell answers at least every 2 s.
 */
import type { Link } from "./link.ts";
import { decodeText } from "./text.ts";

const blockMs = 2_000;
const entriesPerRead = 256;

export interface BellListener {
  appended(topic: string, partition: number): void;
  written(namespace: string): void;
  topicsDeclared(): void;
  /** A commit of another engine was seen that ends before that sequence, on a server after so many forks. */
  saw(nextSequence: number, fork: number): void;
  everything(): void;
}

export class Bell {
  readonly #link: Link;
  readonly #key: string;
  readonly #client: string;
  readonly #listener: BellListener;
  /** Above `blockMs`: a connection that says nothing for so long is given up. */
  readonly #answerWithinMs: number;
  readonly #everyMs: number;
  /** The sequence up to which everything was told. */
  #next: number;
  #isOpen = true;
  #answeredMs = performance.now();
  #endPause: () => void = () => undefined;
  readonly #done: Promise<void>;

  constructor(parts: {
    readonly link: Link;
    readonly key: string;
    /** Whose entries are skipped: that engine knows what it wrote. */
    readonly client: string;
    readonly from: number;
    /** How long an answer may be overdue. */
    readonly silenceMs: number;
    /** Not asked more often than that; 0: as often as something comes. */
    readonly everyMs: number;
    readonly listener: BellListener;
  }) {
    this.#link = parts.link;
    this.#key = parts.key;
    this.#client = parts.client;
    this.#next = parts.from;
    this.#listener = parts.listener;
    this.#answerWithinMs = blockMs + parts.silenceMs;
    this.#everyMs = parts.everyMs;
    this.#done = this.#run();
  }

  get roundTrips(): number {
    return this.#link.roundTrips;
  }

  get silentMs(): number {
    return performance.now() - this.#answeredMs;
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    this.#link.close();
    this.#endPause();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (this.#isOpen) {
      const askedMs = performance.now();
      const client = await this.#link.up(blockMs);
      if (client === undefined) continue;
      const args = ["BLOCK", blockMs, "COUNT", entriesPerRead, "STREAMS", this.#key, `${this.#next}-0`];
      try {
        const reply = await this.#link.send(client, "XREAD", args, this.#answerWithinMs);
        this.#answeredMs = performance.now();
        if (reply !== null) this.#hear(reply as readonly [Buffer, readonly [Buffer, readonly Buffer[]][]][]);
        await this.#pause(askedMs + this.#everyMs - performance.now());
      } catch (error) {
        if (this.#isOpen) this.#link.giveUp(client, error instanceof Error ? error.name : "a fault");
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    if (ms <= 0 || !this.#isOpen) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #hear(streams: readonly (readonly [Buffer, readonly (readonly [Buffer, readonly Buffer[]])[]])[]): void {
    for (const [id, fields] of streams[0]?.[1] ?? []) {
      const next = Number.parseInt(id.toString("latin1"), 10);
      const isOwn = fields[1]?.toString() === this.#client;
      const first = Number(fields[3]?.toString());
      if (first > this.#next) this.#listener.everything();
      this.#next = next;
      if (isOwn) continue;
      this.#listener.saw(next, Number(fields[5]?.toString()));
      for (let index = 6; index < fields.length; index += 2) {
        this.#tell(String(fields[index]), fields[index + 1] as Buffer);
      }
    }
  }

  #tell(what: string, detail: Buffer): void {
    if (what === "p") {
      const text = decodeText(detail);
      const space = text.indexOf(" ");
      this.#listener.appended(text.slice(space + 1), Number(text.slice(0, space)));
    } else if (what === "n") {
      this.#listener.written(decodeText(detail));
    } else if (what === "t") {
      this.#listener.topicsDeclared();
    } else {
      this.#listener.everything();
    }
  }
}
