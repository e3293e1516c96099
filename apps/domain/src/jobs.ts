/**
 * What jobs carry, and how the embedded store keeps them. A job is work for one worker, as opposed to an event, which
 * is news for everybody: no truth of the sale rests on one.
 */
import type { ReservationEvent } from "./messages.ts";

/** The kinds of jobs; each is also the name of its queue in Redis. */
export const jobKindNames = ["sms", "payment", "reconciliation"] as const;
export type JobKindName = (typeof jobKindNames)[number];

/** Before the names of the queues in Redis: braces, so that a cluster keeps all keys of a queue on one node. */
export const jobQueuePrefix = "{jobs}";

/** The stock stage has decided about a payment: its money is captured after `sold`, and let go after `pay-refused`. */
export type SettlingEvent = Extract<ReservationEvent, { type: "sold" | "pay-refused" }>;

/** Asks for nothing in particular: all sales that are recent. */
export type ReconciliationOrder = Readonly<Record<string, never>>;

/** A job as the embedded store keeps it. Times are engine time, ms. */
export interface StoredJob<T> {
  readonly id: string;
  readonly data: T;
  /** 1 for the first. */
  readonly attempt: number;
  /** Absent: at once. */
  readonly dueMs?: number;
  /** How earlier attempts ended. */
  readonly history: readonly JobError[];
}

export interface JobError {
  readonly atMs: number;
  readonly error: string;
}
