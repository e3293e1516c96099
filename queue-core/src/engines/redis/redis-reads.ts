/**
 * Everything that only reads: messages, ranges, offsets, state.
 *
 * What can go wrong: an answer of 4,096 messages of 1 MiB; a scan whose entries go while it looks. Promises: what is
 * asked for at once is near the bytes that the caller wants; reads are tried again on a new connection until their
 * deadline, for they change nothing; no read costs more the more entries or messages there are beside those asked for.
 * What is asked for while answers are outstanding goes together (flights.ts, gathered-fields.ts).
 */
import type {
  LeaseHolder,
  Namespace,
  PartitionRange,
  PartitionRef,
  StateEntry,
  StoredMessage,
  TopicConfig,
} from "../../engine.ts";
import { QueueError } from "../../errors.ts";
import type { ReadLimits } from "../message-ring.ts";
import { type CellKeys, endField, startField } from "./cell-keys.ts";
import { describeFault } from "./connection.ts";
import type { Flights } from "./flights.ts";
import { GatheredFields } from "./gathered-fields.ts";
import { type Link, NoAnswer, type RedisClient } from "./link.ts";
import { decodeEntry, decodeMessage } from "./stored-records.ts";
import { decodeText, encodeText, textArgument } from "./text.ts";

const retryPauseMs = 20;
const mostMessagesAtOnce = 4_096;
const entriesAtOnce = 256;
/** What a message is taken for as long as none of its topic was read. */
const unknownMessageBytes = 512;

type Argument = string | Buffer | number;
type StreamEntry = readonly [id: Buffer, fields: readonly Buffer[]];

export class RedisReads {
  readonly #link: Link;
  readonly #flights: Flights;
  readonly #keys: CellKeys;
  readonly #limits: { readonly deadlineMs: number; readonly silenceMs: number };
  readonly #fields: GatheredFields;
  /** Bytes of a message by topic, a moving mean. */
  readonly #typicalBytes = new Map<string, number>();
  /** By stream: where a read found the end, as long as nobody was told of an append since. */
  readonly #drained = new Map<string, number>();
  /** Commands that were answered. */
  reads = 0;
  underWay = 0;

  constructor(
    parts: { readonly link: Link; readonly flights: Flights; readonly keys: CellKeys },
    limits: { readonly deadlineMs: number; readonly silenceMs: number },
  ) {
    this.#link = parts.link;
    this.#flights = parts.flights;
    this.#keys = parts.keys;
    this.#limits = limits;
    this.#fields = new GatheredFields({
      fly: (send) => this.#fly(send),
      command: (command, args, endMs) => this.#answer(command, args, endMs),
    });
  }

  /** Messages came there. */
  appended(topic: string, partition: number): void {
    this.#drained.delete(`${partition} ${topic}`);
  }

  /** Messages may have come anywhere. */
  appendedAnywhere(): void {
    this.#drained.clear();
  }

  /**
   * A loop that has just read up to the end asks once more, to be told that there is nothing: that one question is
   * answered here, a third of all round trips. Whoever asks again asks Redis.
   */
  async messages(
    topic: string,
    partition: number,
    fromOffset: number,
    limits: ReadLimits,
  ): Promise<readonly StoredMessage[]> {
    const found: StoredMessage[] = [];
    const { maxMessages, maxBytes = Number.POSITIVE_INFINITY } = limits;
    const key = this.#keys.stream(topic, partition);
    const place = `${partition} ${topic}`;
    let bytes = 0;
    let next = Math.max(0, fromOffset);
    if (this.#drained.get(place) === next) {
      this.#drained.delete(place);
      return found;
    }
    while (found.length < maxMessages) {
      const count = this.#countFor(topic, maxMessages - found.length, maxBytes - bytes);
      const entries = (await this.#ask("XRANGE", [key, `${next + 1}-0`, "+", "COUNT", count])) as StreamEntry[];
      for (const entry of entries) {
        const message = messageOf(entry, topic, partition);
        bytes += message.value.length;
        if (bytes > maxBytes && found.length > 0) return found;
        found.push(message);
        next = message.offset + 1;
      }
      if (entries.length < count) {
        if (found.length > 0) this.#drained.set(place, next);
        return found;
      }
      this.#learn(topic, bytes / found.length);
      if (bytes >= maxBytes) return found;
    }
    return found;
  }

  async range({ name, ringMessages }: TopicConfig, partition: number): Promise<PartitionRange> {
    const fields = [endField(name, partition), startField(name, partition)];
    const [end, start] = await this.#fields.get(this.#keys.ranges, fields);
    const endOffset = numberOf(end);
    const ringStart = ringMessages === undefined ? 0 : endOffset - ringMessages;
    return { start: Math.max(numberOf(start), ringStart), end: endOffset };
  }

  async committedOffset(topic: TopicConfig, { group, partition }: PartitionRef): Promise<number> {
    const [[committed], { start }] = await Promise.all([
      this.#fields.get(this.#keys.offsets(topic.name, group), [String(partition)]),
      this.range(topic, partition),
    ]);
    return Math.max(numberOf(committed), start);
  }

  /** One field for each partition, 1,024 at most. */
  async leases(group: string, topic: string): Promise<LeaseHolder[]> {
    const fields = (await this.#ask("HGETALL", [this.#keys.leases(topic, group)])) as Buffer[];
    const found: LeaseHolder[] = [];
    for (let index = 0; index < fields.length; index += 2) {
      found.push(holderOf(Number(fields[index]?.toString("latin1")), fields[index + 1] as Buffer));
    }
    return found.sort((a, b) => a.partition - b.partition);
  }

  async state(namespace: Namespace, keys: readonly string[], nowMs: number): Promise<(Buffer | undefined)[]> {
    if (keys.length === 0) return [];
    const entries = await this.#fields.get(this.#keys.state(namespace), keys.map(textArgument));
    return entries.map((entry, index) =>
      entry === null ? undefined : decodeEntry(entry, nowMs, () => `${keys[index]} of ${namespace}`),
    );
  }

  async scan(
    namespace: Namespace,
    { after, before, limit }: { readonly after?: string; readonly before?: string; readonly limit: number },
    nowMs: number,
  ): Promise<readonly StateEntry[]> {
    const found: StateEntry[] = [];
    const order = this.#keys.order(namespace);
    const max = before === undefined ? "+" : below(before);
    let min = after === undefined ? "-" : below(after);
    while (found.length < limit) {
      const count = Math.min(entriesAtOnce, limit - found.length);
      const members = (await this.#ask("ZRANGEBYLEX", [order, min, max, "LIMIT", 0, count])) as Buffer[];
      const keys = members.map(decodeText);
      const values = await this.state(namespace, keys, nowMs);
      for (const [index, key] of keys.entries()) {
        const value = values[index];
        if (value !== undefined) found.push({ key, value });
      }
      const last = members.at(-1);
      if (last === undefined || members.length < count) break;
      min = Buffer.concat([exclusive, last]);
    }
    return found;
  }

  async count(namespace: Namespace): Promise<number> {
    return Number(await this.#ask("HLEN", [this.#keys.state(namespace)]));
  }

  /** In the order of their declaration. */
  async topics(): Promise<TopicConfig[]> {
    const names = (await this.#ask("LRANGE", [this.#keys.topicOrder, 0, -1])) as Buffer[];
    if (names.length === 0) return [];
    const configs = (await this.#ask("HMGET", [this.#keys.topics, ...names])) as (Buffer | null)[];
    return names.map((name, index) => {
      const [partitions, ring] = String(configs[index]).split(" ").map(Number) as [number, number];
      return { name: decodeText(name), partitions, ...(ring === 0 ? {} : { ringMessages: ring }) };
    });
  }

  #learn(topic: string, meanBytes: number): void {
    const known = this.#typicalBytes.get(topic) ?? meanBytes;
    this.#typicalBytes.set(topic, Math.max(1, (known * 7 + meanBytes) / 8));
  }

  #countFor(topic: string, messages: number, bytes: number): number {
    const typical = this.#typicalBytes.get(topic) ?? unknownMessageBytes;
    return Math.max(1, Math.min(messages, mostMessagesAtOnce, Math.ceil(bytes / typical)));
  }

  /** The deadline counts from here, whatever it is waited for. */
  async #fly(send: (endMs: number) => Promise<void>): Promise<void> {
    const endMs = performance.now() + this.#limits.deadlineMs;
    // Who waits for a connection keeps nobody else on the ground.
    await this.#up(endMs);
    const land = await this.#flights.board();
    try {
      await send(endMs);
    } finally {
      land();
    }
  }

  async #ask(command: string, args: readonly Argument[]): Promise<unknown> {
    let reply: unknown;
    await this.#fly(async (endMs) => {
      reply = await this.#answer(command, args, endMs);
    });
    return reply;
  }

  async #answer(command: string, args: readonly Argument[], endMs: number): Promise<unknown> {
    this.underWay++;
    try {
      for (;;) {
        const client = await this.#up(endMs);
        try {
          const reply = await this.#link.send(client, command, args, this.#limits.silenceMs);
          this.reads++;
          return reply;
        } catch (error) {
          if (!(error instanceof NoAnswer)) await waitOrThrow(error);
        }
      }
    } finally {
      this.underWay--;
    }
  }

  async #up(endMs: number): Promise<RedisClient> {
    const client = await this.#link.up(endMs - performance.now());
    if (client === undefined) throw new QueueError("UNREACHABLE", `Redis cannot be reached: ${this.#link.fault}`);
    return client;
  }
}

/** What Redis says of a read that it will take later. */
async function waitOrThrow(error: unknown): Promise<void> {
  const code = /^[A-Z]+/.exec(error instanceof Error ? error.message : "")?.[0];
  if (code !== "LOADING" && code !== "CLUSTERDOWN" && code !== "TRYAGAIN") {
    throw new QueueError("UNREACHABLE", `Redis refused to read: ${describeFault(error)}`);
  }
  await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
}

const exclusive = Buffer.from("(");

const below = (key: string): Buffer => Buffer.concat([exclusive, encodeText(key)]);

function numberOf(text: Buffer | null | undefined): number {
  return text === null || text === undefined ? 0 : Number(text.toString("latin1"));
}

/** `<epoch> <expiresAtMs> =<member>`, or `- ` in place of the member. */
function holderOf(partition: number, field: Buffer): LeaseHolder {
  const [, epoch, expiresAtMs, member] = /^(\d+) (\d+) (?:=(.*)|-)$/s.exec(decodeText(field)) ?? [];
  return { partition, epoch: Number(epoch), expiresAtMs: Number(expiresAtMs), member };
}

function messageOf([id, [, time, , record]]: StreamEntry, topic: string, partition: number): StoredMessage {
  const offset = Number.parseInt(id.toString("latin1"), 10) - 1;
  if (record === undefined) throw new QueueError("CORRUPT", `message ${offset} of ${topic}/${partition} has no bytes`);
  return decodeMessage(record, { topic, partition, offset, timestampMs: numberOf(time) });
}
