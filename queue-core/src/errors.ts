/**
 * The error catalogue of queue-core: retryability and outcome are data, never a matter of reading a text.
 *
 * `outcome` says what became of what the caller wanted stored:
 * - `not_stored`: certainly not stored; a retry cannot double anything.
 * - `stored`: certainly stored; do not send it again.
 * - `unknown`: it may or may not be stored; repeat only with the same message id, or ask for the result.
 */
export type StorageOutcome = "not_stored" | "stored" | "unknown";

interface CatalogueEntry {
  readonly retryable: boolean;
  readonly outcome: StorageOutcome;
  readonly text: string;
}

/**
 * Every code with what it means for the caller: `retryable` and `outcome` are those of a QueueError with that code,
 * unless its thrower knows better.
 */
export const errorCatalogue = {
  INVALID_ARGUMENT: { retryable: false, outcome: "not_stored", text: "the call's arguments do not fit" },
  UNKNOWN_TOPIC: { retryable: false, outcome: "not_stored", text: "no such topic or partition" },
  MESSAGE_TOO_LARGE: { retryable: false, outcome: "not_stored", text: "the message is larger than the limit" },
  OVERLOADED: { retryable: true, outcome: "not_stored", text: "the topic's backlog has no room" },
  FENCED: { retryable: false, outcome: "not_stored", text: "the partition has a newer owner" },
  CONFLICT: { retryable: false, outcome: "not_stored", text: "an expected state entry is not as expected" },
  HALF_ROLLED_BACK: { retryable: false, outcome: "not_stored", text: "the half message was rolled back" },
  REPLY_TIMEOUT: { retryable: false, outcome: "unknown", text: "no reply came in time" },
  STORAGE_FULL: { retryable: true, outcome: "not_stored", text: "the store has no room" },
  STORAGE_FAILED: { retryable: false, outcome: "unknown", text: "a write or sync failed; the log is poisoned" },
  UNREACHABLE: { retryable: true, outcome: "not_stored", text: "the store cannot be reached" },
  DATA_LOST: { retryable: false, outcome: "not_stored", text: "the store does not have what it acknowledged" },
  CORRUPT: { retryable: false, outcome: "not_stored", text: "stored bytes are damaged" },
  UNKNOWN_FORMAT: {
    retryable: false,
    outcome: "not_stored",
    text: "the files have a format this version does not know",
  },
  LOCKED: { retryable: false, outcome: "not_stored", text: "another process owns the log" },
  CLOSED: { retryable: false, outcome: "not_stored", text: "the queue is closed" },
} as const satisfies Record<string, CatalogueEntry>;

/** The stable codes to tell errors by; texts may change. */
export type ErrorCode = keyof typeof errorCatalogue;

/**
 * The one error that queue-core throws on purpose. `retryable` says whether the same call may succeed later, `outcome`
 * what became of what it wanted stored.
 */
export class QueueError extends Error {
  override readonly name = "QueueError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly outcome: StorageOutcome;
  /** Milliseconds after which a retry may succeed; only where the thrower can estimate it. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    detail?: string,
    options: { retryAfterMs?: number; cause?: unknown; outcome?: StorageOutcome } = {},
  ) {
    const entry: CatalogueEntry = errorCatalogue[code];
    super(detail === undefined ? `${code}: ${entry.text}` : `${code}: ${detail}`, { cause: options.cause });
    this.code = code;
    this.retryable = entry.retryable;
    this.outcome = options.outcome ?? entry.outcome;
    this.retryAfterMs = options.retryAfterMs;
  }
}
