/**
 * A typed topic: its name, its partitions, the key of a message and how a message becomes bytes.
 *
 * What can go wrong: two processes that disagree on the partition count would split one key over two
 * partitions; the engine therefore refuses to declare a topic again with another count.
 */

export interface Codec<T> {
  encode(value: T): Buffer;
  /** Throws where the bytes are not a T; the message is then dead-lettered, never skipped silently. */
  decode(bytes: Buffer): T;
}

export interface Topic<T> {
  readonly name: string;
  readonly partitions: number;
  readonly codec: Codec<T>;
  keyOf(value: T): string;
  /** Room for entry publishes; process commits are never refused for it. */
  readonly backlog: { readonly maxMessages: number; readonly maxBytes: number };
  readonly ringMessages?: number;
  /** Present for typing only. */
  readonly __type?: T;
}

export function jsonCodec<T>(check: (value: unknown) => T = (value) => value as T): Codec<T> {
  return {
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode: (bytes) => check(JSON.parse(bytes.toString("utf8"))),
  };
}

export function defineTopic<T>(definition: {
  name: string;
  partitions: number;
  keyOf: (value: T) => string;
  codec?: Codec<T>;
  backlog?: { maxMessages?: number; maxBytes?: number };
  ringMessages?: number;
}): Topic<T> {
  return {
    name: definition.name,
    partitions: definition.partitions,
    keyOf: definition.keyOf,
    codec: definition.codec ?? jsonCodec<T>(),
    backlog: {
      maxMessages: definition.backlog?.maxMessages ?? 1_000_000,
      maxBytes: definition.backlog?.maxBytes ?? 1024 ** 3,
    },
    ...(definition.ringMessages === undefined ? {} : { ringMessages: definition.ringMessages }),
  };
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
