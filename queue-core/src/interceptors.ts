/**
 * Interceptors: what looks at messages on their way in and out, adds headers, and decides nothing.
 *
 *   publish, request, delayed ─┐
 *   half message ──────────────┼──► onPublish ──► commit ──► onOutcome
 *   emission of `process` ─────┘
 *   partition ──► onTakeOver ──► onReceive, message by message ──► window or batch ──► handler
 *
 * Contracts:
 * - `onPublish` is called in the step that hands the message to the engine: in the order in which one process's
 *   messages are stored. What is refused before (OVERLOADED, MESSAGE_TOO_LARGE, an unknown topic) does not pass.
 * - Whatever passed `onPublish` hears of its outcome once.
 * - `onReceive` is called for each message that the owner of a partition reads, in offset order, before the handler
 *   gets it; also for those whose deadline is over or whose bytes cannot be decoded. A retry does not call it again;
 *   who reads again (a new owner, `process` after a failed commit) does.
 * - Not called for: replies (matched by their id; no group reads them); a delayed message when it comes due, a half
 *   message when it becomes visible, and a dead letter when it is redriven: they keep the headers they came with.
 *
 * What can go wrong:
 * - An interceptor throws, is asynchronous and rejects, adds what is no header, or more than an engine takes: it is
 *   reported, and the message goes on without its addition. It must not be able to lose a message, to refuse one, or
 *   to poison a decision. `onPublish` has to answer at once: an addition that comes later is not waited for.
 * - Two use one name in `ext`: the later one wins, over the application too. Names with "queue-core." are the library's.
 * - Publishing is a hot path: without interceptors nothing of this file runs there.
 */
import type { AppendRequest, MessageHeaders, PartitionRef, StoredMessage } from "./engine.ts";
import { checkHeaders } from "./engines/commit-rules.ts";
import { QueueError } from "./errors.ts";
import { hearRejection } from "./queue-context.ts";

/** A message about to be stored. `delayed` and `half` ones get their place in the partition later. */
export interface OutgoingMessage {
  readonly path: "publish" | "delayed" | "half" | "emission";
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly value: Buffer;
  readonly headers: MessageHeaders;
  /** Of an emission: the message that was decided. */
  readonly cause?: StoredMessage;
}

/** What became of a message that passed `onPublish`. */
export type PublishOutcome =
  /** A delayed message has no offset yet; neither has a half one that a check-back made visible. */
  | { readonly kind: "stored"; readonly partition: number; readonly offset: number | undefined }
  /** Recognised by its id: the first send is stored, this one is not. */
  | { readonly kind: "duplicate" }
  /** Certainly not stored. */
  | { readonly kind: "refused"; readonly error: unknown }
  /** It may or may not be stored. */
  | { readonly kind: "unknown"; readonly error: unknown };

/** What an interceptor adds to an outgoing message. */
export interface Addition {
  /** Header extensions to store with the message. */
  readonly ext?: Readonly<Record<string, string>>;
  readonly onOutcome?: (outcome: PublishOutcome) => void;
}

/**
 * Looks at messages on their way in and out, adds headers, and decides nothing. When each is called, and when not,
 * stands at the head of interceptors.ts. What it throws is reported; the message goes on.
 */
export interface Interceptor {
  /** For reports of its faults. */
  readonly name: string;
  onPublish?(message: OutgoingMessage): Addition | undefined;
  /** A member of this process begins to read the partition at that offset. */
  onTakeOver?(place: PartitionRef, fromOffset: number): void;
  onReceive?(message: StoredMessage, group: string): void;
}

/** A message that passed `onPublish`, as it is to be stored. */
export interface Intercepted {
  readonly append: AppendRequest;
  /** The first call counts. */
  settle(outcome: PublishOutcome): void;
}

export class InterceptorChain {
  readonly #interceptors: readonly Interceptor[];
  readonly #report: (where: string, error: unknown) => void;

  constructor(interceptors: readonly Interceptor[], report: (where: string, error: unknown) => void) {
    this.#interceptors = interceptors;
    this.#report = report;
  }

  outgoing(append: AppendRequest, path: OutgoingMessage["path"], cause?: StoredMessage): Intercepted {
    const { topic, partition, key, value } = append;
    const listeners: { readonly name: string; readonly hear: (outcome: PublishOutcome) => void }[] = [];
    let headers: MessageHeaders = append.headers ?? {};
    let isChanged = false;
    for (const interceptor of this.#interceptors) {
      if (interceptor.onPublish === undefined) continue;
      try {
        const seen = { path, topic, partition, key, value, headers, ...(cause === undefined ? {} : { cause }) };
        const added = interceptor.onPublish(seen) ?? {};
        if (hearRejection(added, (error) => this.#tell(interceptor.name, "onPublish", error)))
          throw new QueueError("INVALID_ARGUMENT", "it gave a promise, which nobody waits for");
        const { ext, onOutcome } = added;
        if (onOutcome !== undefined) listeners.push({ name: interceptor.name, hear: onOutcome });
        if (ext === undefined) continue;
        const longer = { ...headers, ext: { ...headers.ext, ...ext } };
        checkHeaders(longer, topic);
        headers = longer;
        isChanged = true;
      } catch (error) {
        this.#tell(interceptor.name, "onPublish", error);
      }
    }
    return {
      append: isChanged ? { topic, partition, key, value, headers } : append,
      settle: (outcome) => {
        for (const { name, hear } of listeners.splice(0)) {
          this.#guarded(name, "onOutcome", () => hear(outcome));
        }
      },
    };
  }

  takeOver(place: PartitionRef, fromOffset: number): void {
    for (const interceptor of this.#interceptors) {
      this.#guarded(interceptor.name, "onTakeOver", () => interceptor.onTakeOver?.(place, fromOffset));
    }
  }

  receive(message: StoredMessage, group: string): void {
    for (const interceptor of this.#interceptors) {
      this.#guarded(interceptor.name, "onReceive", () => interceptor.onReceive?.(message, group));
    }
  }

  #guarded(name: string, hook: string, call: () => unknown): void {
    try {
      hearRejection(call(), (error) => this.#tell(name, hook, error));
    } catch (error) {
      this.#tell(name, hook, error);
    }
  }

  #tell(name: string, hook: string, error: unknown): void {
    this.#report(`interceptor ${name}, ${hook}`, error);
  }
}

/** What a failed commit means for the messages in it. */
export function failedOutcome(error: unknown): PublishOutcome {
  const isRefused = error instanceof QueueError && error.outcome === "not_stored";
  return { kind: isRefused ? "refused" : "unknown", error };
}
