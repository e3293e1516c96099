/**
 * Jobs: work for one worker each (the queue model), beside topics, which are news for every group (publish/subscribe).
 * Two stores stand behind this port: queue-core's topics in the embedded profile, BullMQ where there is a Redis.
 *
 * Contracts, shown on both sides by the suite in conformance/:
 * - `add` resolves once the jobs are as durable as the store promises. A job whose id is known is not added again, for
 *   at least `knownForMs` after it was added. A store may know it longer, above all where it failed.
 * - Each job is done at least once, by one worker at a time, in no particular order. A worker that dies leaves its jobs
 *   to the next one, an attempt not counted.
 * - Handlers answer in queue-core's words: `done`; `retry`, which spends an attempt and waits (exponential backoff with
 *   jitter); `dead`, or the last attempt: the job has failed for good and is kept with the errors of all attempts;
 *   `pause`: whatever the kind depends on is down, so the kind rests and no attempt is spent. A throw is `retry`.
 * - A delayed job is not begun before its time.
 * - Of a kind with a rate, over any T ms at most max × (T / perMs + 2) attempts begin, whatever the number of workers.
 * - A job that failed for good is kept until `retryFailed` gives it all its attempts anew (in Redis, for a week).
 * - `stop` begins nothing more and lets running jobs finish, up to the grace; then they are aborted, and done again.
 *
 * What can go wrong: the store is lost, with everything in it. So a job may only repeat what can be concluded again
 * from the sale's own record; reconciliation does that (reconciliation/).
 */
import type { JobOffice, JobPlace } from "@plateau/hosting/jobs";
import type { Outcome } from "queue-core";

/** A kind of work: where its jobs are kept, and how they are tried. Times are ms. */
export interface JobKind<T> extends JobPlace<T> {
  /** Jobs of this kind at once, in each process. */
  readonly concurrency: number;
  /** Before a job has failed for good. */
  readonly attempts: number;
  /** Wait before the second attempt, doubled with each; half of each wait is random. */
  readonly backoff: { readonly firstMs: number; readonly longestMs: number };
  /** As many attempts in this time, over all processes. */
  readonly rate?: { readonly max: number; readonly perMs: number };
}

export interface NewJob<T> {
  /** Says what is done, e.g. the event that asks for it, so that doing it twice would be the same job. */
  readonly id: string;
  readonly data: T;
  readonly delayMs?: number;
}

export interface Job<T> {
  readonly id: string;
  readonly data: T;
  /** 1 for the first. */
  readonly attempt: number;
}

export interface JobWorker {
  /** `graceMs` defaults to 5,000. */
  stop(options?: { readonly graceMs?: number }): Promise<void>;
  /** Ends as a killed process would: what it had begun is done by another one later. */
  kill(): void;
}

export type JobHandler<T> = (job: Job<T>, signal: AbortSignal) => Promise<Outcome>;

/** Every call rejects with what the store says where it does not answer. */
export interface JobQueue extends JobOffice {
  readonly store: "embedded" | "redis";
  add<T>(kind: JobKind<T>, jobs: readonly NewJob<T>[]): Promise<void>;
  work<T>(kind: JobKind<T>, handle: JobHandler<T>): Promise<JobWorker>;
  /** Stops the workers; the store stays. */
  stop(): Promise<void>;
}

export const knownForMs = 120_000;

/** Before attempt `attempt` + 1. `random` in [0, 1). */
export function retryWaitMs(
  { backoff }: Pick<JobKind<unknown>, "backoff">,
  attempt: number,
  random: () => number,
): number {
  const full = Math.min(backoff.longestMs, backoff.firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.ceil(full * (0.5 + random() / 2));
}

/** How long a kind rests that does not say for how long, after so many rests in a row. */
export const growingRestMs = (rests: number): number => Math.min(10_000, 200 * 2 ** Math.min(rests, 10));

/** One bounded line. */
export const errorText = (error: unknown): string =>
  (error instanceof Error ? error.message || error.name : String(error ?? "the handler asked for a retry"))
    .split("\n", 1)
    .join()
    .slice(0, 500);
