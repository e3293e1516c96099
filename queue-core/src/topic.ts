/**
 * A typed topic: its name, its partitions, the key of a message and how a message becomes bytes.
 *
 * Contracts: the partition count is fixed, and the key alone picks the partition, the same one in every process.
 *
 * What can go wrong: two processes that disagree on the partition count would split one key over two
 * partitions; the engine therefore refuses to declare a topic again with another count.
 */

import { QueueError } from "./errors.ts";

/** How a value becomes bytes, and back. */
export interface Codec<T> {
  encode(value: T): Buffer;
  /** Throws where the bytes are not a T; the message is then dead-lettered, never skipped silently. */
  decode(bytes: Buffer): T;
}

/** How far the slowest group of a topic may fall behind before entry publishes are refused with OVERLOADED. */
export interface BacklogBounds {
  /** Messages that may wait for the slowest group. */
  readonly maxMessages: number;
  /** Bytes of their values. */
  readonly maxBytes: number;
  /** A topic that was full takes messages again once its backlog is down to this share of both; 0 to 1. */
  readonly lowMark: number;
}

/** A topic that applications publish to and read. Made by `defineTopic`. */
export interface Topic<T> {
  readonly name: string;
  readonly partitions: number;
  readonly codec: Codec<T>;
  keyOf(value: T): string;
  /** Room for entry publishes; process commits are never refused for it. */
  readonly backlog: BacklogBounds;
  readonly ringMessages?: number;
  /** Present for typing only. */
  readonly __type?: T;
}

/** Values as JSON. `check` sees what was parsed, and throws where that is no T; default: everything passes. */
export function jsonCodec<T>(check: (value: unknown) => T = (value) => value as T): Codec<T> {
  return {
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode: (bytes) => check(JSON.parse(bytes.toString("utf8"))),
  };
}

/** `backlog` defaults to 1,000,000 messages, 1 GiB and a low mark of 0.8. Throws INVALID_ARGUMENT for a bad one. */
export function defineTopic<T>(definition: {
  name: string;
  partitions: number;
  keyOf: (value: T) => string;
  codec?: Codec<T>;
  backlog?: Partial<BacklogBounds>;
  ringMessages?: number;
}): Topic<T> {
  return {
    name: definition.name,
    partitions: definition.partitions,
    keyOf: definition.keyOf,
    codec: definition.codec ?? jsonCodec<T>(),
    backlog: boundsOf(definition.name, definition.backlog),
    ...(definition.ringMessages === undefined ? {} : { ringMessages: definition.ringMessages }),
  };
}

function boundsOf(topic: string, given: Partial<BacklogBounds> = {}): BacklogBounds {
  const bounds = { maxMessages: 1_000_000, maxBytes: 1024 ** 3, lowMark: 0.8, ...given };
  const { maxMessages, maxBytes, lowMark } = bounds;
  if (maxMessages >= 1 && maxBytes >= 1 && lowMark >= 0 && lowMark <= 1) return bounds;
  const detail = `topic ${topic}: a backlog of ${maxMessages} messages, ${maxBytes} bytes, low mark ${lowMark}`;
  throw new QueueError("INVALID_ARGUMENT", `${detail}; the bounds are to be 1 or more, the mark 0 to 1`);
}

/** Stable over processes, machines and versions: it decides where a key's state lies. */
export function partitionOfKey(key: string, partitions: number): number {
  if (partitions === 1) return 0;
  // FNV-1a, 32 bits, over UTF-16 code units, with a final avalanche (murmur3 fmix32) so that keys that differ
  // in their last characters spread evenly.
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) {
    hash ^= key.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return (hash >>> 0) % partitions;
}
