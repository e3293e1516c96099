/**
 * A message in the hands of a consuming group: how often this owner of its partition delivered it, and what went wrong.
 *
 * What can go wrong: one that fails for hours would gather errors without end; the newest 32 are kept.
 */
import type { ErrorHistory } from "./dead-letters.ts";
import type { StoredMessage } from "./engine.ts";
import type { Message } from "./queue.ts";

export interface Item<T> {
  readonly stored: StoredMessage;
  readonly value: T;
  deliveries: number;
  history: ErrorHistory;
}

const keptErrors = 32;
const noHistory: ErrorHistory = [];

export function itemOf<T>(stored: StoredMessage, value: T): Item<T> {
  return { stored, value, deliveries: 0, history: noHistory };
}

/** False once the message's deadline is over. */
export function isDue({ stored }: Item<unknown>, nowMs: number): boolean {
  return (stored.headers.deadlineMs ?? Number.POSITIVE_INFINITY) > nowMs;
}

/** The message as the handler gets it; counts the delivery. */
export function delivered<T>(item: Item<T>): Message<T> {
  const { topic, partition, offset, timestampMs, key, headers } = item.stored;
  item.deliveries++;
  return { topic, partition, offset, timestampMs, key, headers, value: item.value, attempt: item.deliveries };
}

export function noteFailure(item: Item<unknown>, atMs: number, error: string): void {
  item.history = [...item.history.slice(1 - keptErrors), { atMs, error }];
}
