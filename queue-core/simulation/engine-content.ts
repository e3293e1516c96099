/**
 * Everything that an engine holds for its readers, as plain maps: folded from commits, or read from an engine.
 *
 * What can go wrong: the oracle makes the mistake of what it checks. So it shares no code with the engines' model, and
 * is as simple as can be: no reservations, no index, no expiry but by comparison with the time asked.
 */
import type { Commit, CommitReceipt, Engine, MessageHeaders, PartitionRef, StoredMessage } from "../src/engine.ts";

export interface HeldMessage {
  readonly key: string;
  readonly value: Buffer;
  readonly headers: MessageHeaders;
  /** Undefined where the commit's receipt never came. */
  readonly timestampMs: number | undefined;
}

interface Entry {
  readonly value: Buffer;
  readonly expiresAtMs: number;
}

interface PartitionContent {
  start: number;
  /** By offset; those before `start` may be missing. */
  readonly messages: Map<number, HeldMessage>;
  end: number;
}

/** Namespaces that may hold entries and groups that may have committed: an engine cannot list them. */
interface Places {
  readonly namespaces: ReadonlySet<string>;
  readonly refs: ReadonlyMap<string, PartitionRef>;
}

type Wrong = { readonly rule: string; readonly detail: string } | undefined;

export class EngineContent {
  readonly #partitions = new Map<string, PartitionContent>();
  readonly #committed = new Map<string, number>();
  /** From where on the log must keep what groups have to read that were known when it was last opened. */
  readonly #needed = new Map<string, number>();
  readonly #refs = new Map<string, PartitionRef>();
  readonly #state = new Map<string, Map<string, Entry>>();

  /** Reads all of it. */
  static async of(engine: Engine, asked: Places) {
    const content = new EngineContent();
    for (const { name, partitions } of engine.topics()) {
      for (let partition = 0; partition < partitions; partition++) {
        const { start, end } = await engine.range(name, partition);
        if (end > 0) await content.#read(engine, name, partition, start, end);
      }
    }
    // A commit that was not stored may have been the first to name a topic.
    const known = [...asked.refs].filter(([, { topic }]) => engine.topic(topic) !== undefined);
    for (const [place, ref] of known) content.#committed.set(place, await engine.committedOffset(ref));
    await content.#readStarts(engine);
    for (const namespace of asked.namespaces) {
      const entries = await engine.scanState(namespace, { limit: Number.MAX_SAFE_INTEGER });
      const found = new Map(entries.map(({ key, value }) => [key, { value, expiresAtMs: Number.POSITIVE_INFINITY }]));
      content.#state.set(namespace, found);
    }
    return content;
  }

  /** By offset, consecutive from 0, also those that the engine no longer keeps. */
  messages(topic: string, partition: number): ReadonlyMap<number, HeldMessage> {
    return this.#partition(`${topic}/${partition}`).messages;
  }

  /** An entry as it was written last, expired or not. */
  entry(namespace: string, key: string): Buffer | undefined {
    return this.#state.get(namespace)?.get(key)?.value;
  }

  keys(namespace: string): readonly string[] {
    return [...(this.#state.get(namespace)?.keys() ?? [])];
  }

  /** Where to look, when `commits` may have been stored too. */
  places(commits: readonly Commit[]): Places {
    const namespaces = new Set(this.#state.keys());
    const refs = new Map(this.#refs);
    for (const { put = [], advance } of commits) {
      for (const { namespace } of put) namespaces.add(namespace);
      if (advance !== undefined) refs.set(placeOf(advance), advance);
    }
    return { namespaces, refs };
  }

  /** Without a receipt the commit is one that survived without having been acknowledged. */
  apply(commit: Commit, receipt: CommitReceipt | undefined): Wrong {
    let wrong: Wrong;
    for (const [index, { topic, partition, key, value, headers = {} }] of (commit.append ?? []).entries()) {
      const place = `${topic}/${partition}`;
      const content = this.#partition(place);
      const offset = receipt?.offsets[index] ?? content.end;
      if (offset !== content.end)
        wrong ??= { rule: "offsets are consecutive", detail: `${place} gave ${offset} after ${content.end - 1}` };
      content.messages.set(offset, { key, value, headers, timestampMs: receipt?.timeMs });
      content.end = offset + 1;
    }
    for (const { namespace, key, value, expiresAtMs = Number.POSITIVE_INFINITY } of commit.put ?? []) {
      const entries = this.#entries(namespace);
      if (value === null) entries.delete(key);
      else entries.set(key, { value, expiresAtMs });
    }
    if (commit.advance !== undefined) {
      const ref = placeOf(commit.advance);
      this.#refs.set(ref, commit.advance);
      const before = this.#committed.get(ref) ?? 0;
      if (commit.advance.to < before)
        wrong ??= { rule: "committed offsets never go back", detail: `${ref}: from ${before} to ${commit.advance.to}` };
      this.#committed.set(ref, commit.advance.to);
    }
    return wrong;
  }

  /** What `found` lacks, has beyond this, or has otherwise; undefined when nothing. */
  differenceFrom(found: EngineContent, nowMs: number): string | undefined {
    for (const place of new Set([...this.#partitions.keys(), ...found.#partitions.keys()])) {
      const difference = comparePartitions(place, this.#partition(place), found.#partition(place));
      if (difference !== undefined) return difference;
    }
    for (const ref of new Set([...this.#committed.keys(), ...found.#committed.keys()])) {
      // A group that stands before the beginning of the log stands at it.
      const start = found.#startOf(ref);
      const needed = this.#needed.get(ref);
      const from = Math.max(needed ?? 0, this.#committed.get(ref) ?? 0);
      if (needed !== undefined && start > from)
        return `the log begins at ${start}, and ${ref} has to read from ${from}`;
      const expected = Math.max(this.#committed.get(ref) ?? 0, start);
      const is = Math.max(found.#committed.get(ref) ?? 0, start);
      if (expected !== is) return `the committed offset of ${ref} is ${is}, not ${expected}`;
    }
    for (const namespace of new Set([...this.#state.keys(), ...found.#state.keys()])) {
      const difference = compareEntries(this.#entries(namespace), found.#entries(namespace), nowMs);
      if (difference !== undefined) return `state ${namespace}: ${difference}`;
    }
    return undefined;
  }

  /** Takes over what only the engine knows: timestamps of commits whose receipts never came, and where logs begin. */
  adopt(found: EngineContent): void {
    for (const [place, { messages, start }] of found.#partitions) {
      const own = this.#partition(place);
      own.start = start;
      for (const [offset, message] of messages) own.messages.set(offset, message);
    }
    for (const [ref, committed] of this.#committed) this.#needed.set(ref, Math.max(committed, this.#startOf(ref)));
  }

  async #read(engine: Engine, topic: string, partition: number, start: number, end: number): Promise<void> {
    const content = this.#partition(`${topic}/${partition}`);
    content.end = end;
    for (let offset = start; offset < end; ) {
      const messages: readonly StoredMessage[] = await engine.read(topic, partition, offset, { maxMessages: 10_000 });
      if (messages.length === 0) break;
      for (const message of messages) content.messages.set(message.offset, message);
      offset = (messages.at(-1) as StoredMessage).offset + 1;
    }
  }

  /** Retention goes on while the rest is read, and takes groups that nobody knows along: where logs begin is read last. */
  async #readStarts(engine: Engine): Promise<void> {
    for (const { name, partitions } of engine.topics()) {
      for (let partition = 0; partition < partitions; partition++) {
        const { start, end } = await engine.range(name, partition);
        if (end > 0) this.#partition(`${name}/${partition}`).start = start;
      }
    }
  }

  #startOf(ref: string): number {
    return this.#partition(ref.slice(ref.indexOf(" ") + 1)).start;
  }

  #partition(place: string): PartitionContent {
    let content = this.#partitions.get(place);
    if (content === undefined) {
      content = { start: 0, messages: new Map(), end: 0 };
      this.#partitions.set(place, content);
    }
    return content;
  }

  #entries(namespace: string): Map<string, Entry> {
    let entries = this.#state.get(namespace);
    if (entries === undefined) {
      entries = new Map();
      this.#state.set(namespace, entries);
    }
    return entries;
  }
}

const placeOf = ({ group, topic, partition }: PartitionRef): string => `${group} ${topic}/${partition}`;

function comparePartitions(place: string, expected: PartitionContent, found: PartitionContent): string | undefined {
  if (found.end !== expected.end) return `${place} ends at ${found.end}, not ${expected.end}`;
  if (found.start < expected.start) return `${place} begins at ${found.start}, and began at ${expected.start} before`;
  for (let offset = found.start; offset < found.end; offset++) {
    const message = found.messages.get(offset);
    const original = expected.messages.get(offset);
    if (message === undefined || original === undefined) return `${place} lacks offset ${offset}`;
    if (message.key !== original.key || !message.value.equals(original.value)) return `${place} ${offset} has changed`;
    if (JSON.stringify(message.headers) !== JSON.stringify(original.headers))
      return `${place} ${offset}: other headers`;
    if (original.timestampMs !== undefined && message.timestampMs !== original.timestampMs)
      return `${place} ${offset} is of ${message.timestampMs}, not of ${original.timestampMs}`;
  }
  return undefined;
}

function compareEntries(expected: Map<string, Entry>, found: Map<string, Entry>, nowMs: number): string | undefined {
  for (const [key, { value, expiresAtMs }] of expected) {
    if (expiresAtMs <= nowMs) continue;
    const entry = found.get(key);
    if (entry === undefined) return `${key} is missing`;
    if (!entry.value.equals(value)) return `${key} is ${entry.value.toString()}, not ${value.toString()}`;
  }
  for (const key of found.keys()) {
    const entry = expected.get(key);
    if (entry === undefined) return `${key} is there, and should not be`;
    if (entry.expiresAtMs <= nowMs) return `${key} has expired, and is there`;
  }
  return undefined;
}
