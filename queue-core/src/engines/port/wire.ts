/**
 * What goes over the port. One message in either direction carries all that came up in one turn of the event loop:
 *
 *     connected ─► owner   { calls: [{ id, name, args } | { watch | unwatch }, …], freight }
 *     owner ─► connected   { nowMs, atMs, statistics, topics?, failed?, appended?, written?,
 *                            replies: [{ id, result } | { id, error }, …], freight }
 *
 *     freight   ┌───────┬───────┬─────┬───────┐   the bytes of all Buffers of the message, one behind the other;
 *               │ bytes │ bytes │  …  │ bytes │   in calls and results each stands as [position, length] instead
 *               └───────┴───────┴─────┴───────┘
 *
 * What can go wrong: a small Buffer lies in a pool with others, so that cloning it would clone the pool, and
 * transferring it would take the others away from their owners; a value that an engine keeps would be gone from it.
 * So bytes are always copied once, into a freight that is transferred and that nobody else holds; whoever unpacks it
 * gets views of it. Only what an engine keeps for long, entries of keyed state, is given memory of its own there: a
 * view of 50 bytes would keep the freight of a whole turn.
 *
 * Messages that were read go as columns: cloning an object with its seven names cost the owner's thread 1.4 µs each,
 * a place in four columns 0.3. Everything else of a call goes as the structured clone makes it, fields that this file
 * does not know included.
 */
import type {
  AppendRequest,
  Commit,
  Engine,
  EngineStatistics,
  MessageHeaders,
  Namespace,
  StateEntry,
  StateWrite,
  StoredMessage,
  TopicConfig,
} from "../../engine.ts";
import { type ErrorCode, QueueError, type StorageOutcome } from "../../errors.ts";

export type CallName =
  | "declareTopics"
  | "commit"
  | "read"
  | "range"
  | "committedOffset"
  | "readState"
  | "scanState"
  | "countState"
  | "acquireLease"
  | "renewLease"
  | "releaseLease"
  | "leases"
  | "heartbeat"
  | "members";

export interface Call {
  readonly id: number;
  readonly name: CallName;
  readonly args: readonly unknown[];
}

/** What a side wants to be told of: appends anywhere, or writes in one namespace. */
export type Watched = "appends" | { readonly namespace: Namespace };

export interface Watch {
  readonly kind: "watch" | "unwatch";
  readonly what: Watched;
}

export interface ToOwner {
  readonly calls: readonly (Call | Watch)[];
  readonly freight: ArrayBuffer | undefined;
}

export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: PackedError };

export interface ToConnected {
  /** Engine time when the message left, */
  readonly nowMs: number;
  /** at this reading of the clock that all threads of the process share. */
  readonly atMs: number;
  readonly statistics: EngineStatistics;
  /** Those that this side was not told of yet, in the order of their declaration. */
  readonly topics: readonly TopicConfig[];
  readonly failed: PackedError | undefined;
  /** Partitions by topic in which messages became visible. */
  readonly appended: ReadonlyMap<string, ReadonlySet<number>>;
  readonly written: ReadonlySet<Namespace>;
  readonly replies: readonly Reply[];
  readonly freight: ArrayBuffer | undefined;
}

/** The first message of an owner says what the engine is. */
export interface Greeting extends ToConnected {
  readonly name: Engine["name"];
}

/** Stands for a Buffer: where its bytes begin in the freight, and how many they are. */
export type Packed = readonly [position: number, length: number];

export class Freight {
  readonly #buffers: Buffer[] = [];
  #length = 0;

  /** Where the next bytes will lie. */
  get length(): number {
    return this.#length;
  }

  load(bytes: Buffer): Packed {
    const packed: Packed = [this.#length, bytes.length];
    this.#buffers.push(bytes);
    this.#length += bytes.length;
    return packed;
  }

  /** The bytes in memory of their own, to be transferred; undefined where nothing was loaded. */
  seal(): ArrayBuffer | undefined {
    if (this.#length === 0) return undefined;
    // Not from the pool, and not zeroed first.
    const sealed = Buffer.allocUnsafeSlow(this.#length);
    let position = 0;
    for (const bytes of this.#buffers) position += bytes.copy(sealed, position);
    return sealed.buffer;
  }
}

const empty = new ArrayBuffer(0);

export function unload(freight: ArrayBuffer | undefined, [position, length]: Packed): Buffer {
  return Buffer.from(freight ?? empty, position, length);
}

type PackedCommit = Omit<Commit, "append" | "put"> & {
  readonly append?: readonly (Omit<AppendRequest, "value"> & { readonly value: Packed | undefined })[];
  readonly put?: readonly (Omit<StateWrite, "value"> & { readonly value: Packed | null | undefined })[];
};

/** What is no Buffer becomes undefined, which every engine refuses. */
function packCommit({ append, put, ...rest }: Commit, freight: Freight): PackedCommit {
  const pack = (value: unknown) => (Buffer.isBuffer(value) ? freight.load(value) : undefined);
  return {
    ...rest,
    ...(append === undefined ? {} : { append: append.map((one) => ({ ...one, value: pack(one.value) })) }),
    ...(put === undefined
      ? {}
      : { put: put.map((one) => ({ ...one, value: one.value === null ? null : pack(one.value) })) }),
  };
}

function unpackCommit({ append, put, ...rest }: PackedCommit, freight: ArrayBuffer | undefined): Commit {
  const view = (packed: Packed | undefined) => (packed === undefined ? undefined : unload(freight, packed)) as Buffer;
  const kept = (packed: Packed | undefined) => (packed === undefined ? undefined : Buffer.from(view(packed))) as Buffer;
  return {
    ...rest,
    ...(append === undefined ? {} : { append: append.map((one) => ({ ...one, value: view(one.value) })) }),
    ...(put === undefined
      ? {}
      : { put: put.map((one) => ({ ...one, value: one.value === null ? null : kept(one.value) })) }),
  };
}

export function packCall(call: Call, freight: Freight): Call {
  return call.name === "commit" ? { ...call, args: [packCommit(call.args[0] as Commit, freight)] } : call;
}

export function unpackArgs(call: Call, freight: ArrayBuffer | undefined): readonly unknown[] {
  return call.name === "commit" ? [unpackCommit(call.args[0] as PackedCommit, freight)] : call.args;
}

/** Messages of one partition; the n-th of each column makes the n-th message. */
interface PackedMessages {
  readonly topic: string;
  readonly partition: number;
  readonly offsets: number[];
  readonly timestampsMs: number[];
  readonly keys: string[];
  /** Undefined where there are none. */
  readonly headers: (MessageHeaders | undefined)[];
  /** The values lie one behind the other from here on. */
  readonly position: number;
  readonly lengths: number[];
}

function packMessages(messages: readonly StoredMessage[], freight: Freight): PackedMessages {
  const packed: PackedMessages = {
    topic: messages[0]?.topic ?? "",
    partition: messages[0]?.partition ?? 0,
    offsets: [],
    timestampsMs: [],
    keys: [],
    headers: [],
    position: freight.length,
    lengths: [],
  };
  for (const { offset, timestampMs, key, headers, value } of messages) {
    packed.offsets.push(offset);
    packed.timestampsMs.push(timestampMs);
    packed.keys.push(key);
    packed.headers.push(Object.keys(headers).length === 0 ? undefined : headers);
    freight.load(value);
    packed.lengths.push(value.length);
  }
  return packed;
}

function unpackMessages(packed: PackedMessages, freight: ArrayBuffer | undefined): readonly StoredMessage[] {
  const { topic, partition, offsets, timestampsMs, keys, headers, lengths } = packed;
  let { position } = packed;
  return offsets.map((offset, index) => {
    const length = lengths[index] as number;
    const value = unload(freight, [position, length]);
    position += length;
    const timestampMs = timestampsMs[index] as number;
    return { topic, partition, offset, timestampMs, key: keys[index] as string, value, headers: headers[index] ?? {} };
  });
}

export function packResult(name: CallName, result: unknown, freight: Freight): unknown {
  switch (name) {
    case "read":
      return packMessages(result as readonly StoredMessage[], freight);
    case "scanState":
      return (result as readonly StateEntry[]).map((entry) => ({ ...entry, value: freight.load(entry.value) }));
    case "readState":
      return (result as readonly (Buffer | undefined)[]).map((value) => value && freight.load(value));
    default:
      return result;
  }
}

export function unpackResult(name: CallName, result: unknown, freight: ArrayBuffer | undefined): unknown {
  switch (name) {
    case "read":
      return unpackMessages(result as PackedMessages, freight);
    case "scanState":
      return (result as readonly (Omit<StateEntry, "value"> & { readonly value: Packed })[]).map((entry) => ({
        ...entry,
        value: unload(freight, entry.value),
      }));
    case "readState":
      return (result as readonly (Packed | undefined)[]).map((packed) => packed && unload(freight, packed));
    default:
      return result;
  }
}

/** A clone keeps of an error neither its class nor its fields. */
export type PackedError =
  | {
      readonly code: ErrorCode;
      readonly detail: string;
      readonly outcome: StorageOutcome;
      readonly retryAfterMs: number | undefined;
    }
  | { readonly message: string; readonly stack: string | undefined };

export function packError(error: unknown): PackedError {
  if (error instanceof QueueError) {
    const { code, message, outcome, retryAfterMs } = error;
    return { code, detail: message.slice(`${code}: `.length), outcome, retryAfterMs };
  }
  return error instanceof Error
    ? { message: error.message, stack: error.stack }
    : { message: String(error), stack: undefined };
}

export function unpackError(packed: PackedError): Error {
  if ("code" in packed) {
    const { code, detail, outcome, retryAfterMs } = packed;
    return new QueueError(code, detail, retryAfterMs === undefined ? { outcome } : { outcome, retryAfterMs });
  }
  const error = new Error(packed.message);
  if (packed.stack !== undefined) error.stack = packed.stack;
  return error;
}
