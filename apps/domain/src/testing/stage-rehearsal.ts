/**
 * Runs a stage's pure decisions without a queue, for tests: one partition, entries as JSON, one commit a message.
 *
 * What can go wrong in a stage and is caught here: it reads an entry that it did not declare, decides differently
 * the second time, changes what it read, or writes or emits what is no JSON.
 */
import type { Decision, EntryWrite, Message, ReplyAddress, StateReader } from "queue-core";

export interface RehearsedStage<T> {
  keys(value: T): readonly string[];
  decide(message: Message<T>, state: StateReader, nowMs: number): Decision;
}

export interface Emitted {
  readonly topic: string;
  readonly value: unknown;
  readonly delayMs?: number;
  readonly replyTo?: ReplyAddress;
}

export interface Committed {
  readonly reply: unknown;
  readonly emitted: readonly Emitted[];
  /** Keys written, in order. */
  readonly written: readonly string[];
}

export class StageRehearsal<T> {
  readonly #stage: RehearsedStage<T>;
  readonly #entries = new Map<string, { readonly json: string; readonly expiresAtMs: number }>();
  #offset = 0;

  constructor(stage: RehearsedStage<T>) {
    this.#stage = stage;
  }

  deliver(value: T, at: { readonly nowMs: number; readonly replyTo?: ReplyAddress }): Committed {
    const { nowMs, replyTo } = at;
    const headers = replyTo === undefined ? {} : { replyTo };
    const place = { topic: "rehearsal", partition: 0, offset: this.#offset++, timestampMs: nowMs, key: "", attempt: 1 };
    const { writes, emitted, reply } = this.#decide({ ...place, headers, value: copyOf(value) }, nowMs);
    for (const { key, value: written, expiresAfterMs } of writes) {
      if (written === null) this.#entries.delete(key);
      else this.#entries.set(key, { json: jsonOf(written), expiresAtMs: nowMs + (expiresAfterMs ?? Infinity) });
    }
    return { reply, emitted, written: writes.map(({ key }) => key) };
  }

  /** An entry as others would read it, or undefined. */
  entry<V>(key: string, nowMs = 0): V | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || entry.expiresAtMs <= nowMs ? undefined : (JSON.parse(entry.json) as V);
  }

  keys(): readonly string[] {
    return [...this.#entries.keys()];
  }

  #decide(message: Message<T>, nowMs: number): Decided {
    const before = jsonOf(message.value);
    const declared = this.#stage.keys(message.value);
    const decideOnce = () => decidedOf(this.#stage.decide(message, this.#reader(declared, nowMs), nowMs));
    const decided = decideOnce();
    if (jsonOf(decideOnce()) !== jsonOf(decided)) throw new Error("the stage decided differently the second time");
    if (jsonOf(message.value) !== before) throw new Error("the stage changed the message it was given");
    return decided;
  }

  #reader(declared: readonly string[], nowMs: number): StateReader {
    return {
      get: <V>(key: string): V | undefined => {
        if (!declared.includes(key)) throw new Error(`the stage read ${key}, which it did not declare`);
        const value = this.entry<V>(key, nowMs);
        return value === undefined ? undefined : frozen(value);
      },
    };
  }
}

interface Decided {
  readonly writes: readonly EntryWrite[];
  readonly emitted: readonly Emitted[];
  readonly reply?: unknown;
}

function decidedOf({ writes = [], emit = [], reply }: Decision): Decided {
  const emitted = emit.map(({ topic, ...rest }) => ({ ...rest, topic: topic.name }));
  return copyOf(reply === undefined ? { writes, emitted } : { writes, emitted, reply });
}

function jsonOf(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    const isLost =
      part === undefined || typeof part === "function" || (typeof part === "number" && !Number.isFinite(part));
    if (isLost) throw new Error(`the stage left ${String(part)} as ${key}, which JSON would change`);
    return part;
  });
}

const copyOf = <V>(value: V): V => JSON.parse(jsonOf(value)) as V;

function frozen<V>(value: V): V {
  if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) frozen(part);
    Object.freeze(value);
  }
  return value;
}
