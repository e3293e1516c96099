/**
 * One job for each period, however many processes ask for it: each of them adds the period's job when it begins, under
 * the period's number, and the first one counts. What the processes agree on is the clock alone.
 *
 * What can go wrong:
 * - A schedule kept in the job store (as BullMQ's job schedulers are) would be lost with it. This one is in the
 *   processes: as long as one runs, the next period has its job.
 * - Nobody runs at the beginning of a period, or the store does not answer: that period has no job. It is not made up
 *   for; the next one comes.
 * - Periods are shorter than a job's id is known (`knownForMs`), so a slow clock cannot add an old one again.
 */
import type { Timers } from "queue-core";
import { type JobKind, type JobQueue, knownForMs } from "./job-queue.ts";

export interface RepeatOptions<T> {
  readonly jobs: JobQueue;
  readonly kind: JobKind<T>;
  readonly data: T;
  readonly everyMs: number;
  /** The time that all processes agree on, ms. */
  readonly now: () => number;
  readonly timers: Timers;
  /** Hears of periods whose job could not be added. */
  readonly onError: (error: unknown) => void;
}

/** The period that runs has its job when this resolves. Throws where the period is too long. */
export async function repeatJob<T>(options: RepeatOptions<T>): Promise<{ stop(): void }> {
  const { jobs, kind, data, everyMs, now, timers, onError } = options;
  if (!(everyMs > 0 && everyMs < knownForMs)) throw new Error(`a period of ${everyMs} ms; up to ${knownForMs} can be`);
  let cancel = (): void => undefined;
  let isStopped = false;
  const addNow = (): Promise<void> =>
    jobs.add(kind, [{ id: `${kind.name}@${Math.floor(now() / everyMs)}`, data }]).catch(onError);
  const planNext = (): void => {
    if (isStopped) return;
    cancel = timers.after(everyMs - (now() % everyMs), () => {
      void addNow();
      planNext();
    });
  };
  await addNow();
  planNext();
  return {
    stop: () => {
      isStopped = true;
      cancel();
    },
  };
}
