/**
 * The jobs that lie in BullMQ's queues.
 *
 * What can go wrong:
 * - Redis does not answer: each call rejects within `answerWithinMs` instead of waiting for it to come back.
 * - A connection goes half-open (its peer is gone and nobody said so): a deadline for each command would fail them all,
 *   one after another, for as long as the process lives. So a socket that owes an answer and says nothing for
 *   `silenceMs` is destroyed, and a new one made.
 * - A job's key in Redis ends in its id, and so do the queue's own (a job named "delayed" would be the set of delayed
 *   jobs); nor does BullMQ take a ":" or a number. So ids are marked and escaped on their way in, and back on their way
 *   out.
 */
import { jobQueuePrefix } from "@plateau/domain";
import { Queue } from "bullmq";
import type { FailedJob, JobCounts, JobOffice, JobPlace } from "./job-office.ts";

const answerWithinMs = 5_000;
/** Shorter than `answerWithinMs`: who asks once more after a failure has a new connection. */
const silenceMs = 4_000;
const markedMax = 10_000;
const retriedAtOnce = 500;

export interface BullmqOfficeOptions {
  /** `redis://…`, or the path of a socket. */
  readonly url: string;
  /** Hears of lost connections and the like. */
  readonly onError: (error: unknown) => void;
}

export class BullmqJobOffice implements JobOffice {
  readonly #options: BullmqOfficeOptions;
  readonly #queues = new Map<string, Queue>();

  constructor(options: BullmqOfficeOptions) {
    this.#options = options;
  }

  /** Opened when first asked for. */
  queue({ name }: { readonly name: string }): Queue {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      const { url, onError } = this.#options;
      const connection = { url, maxRetriesPerRequest: 1, commandTimeout: answerWithinMs, socketTimeout: silenceMs };
      queue = new Queue(name, { connection, prefix: jobQueuePrefix });
      queue.on("error", onError);
      this.#queues.set(name, queue);
    }
    return queue;
  }

  async counts<T>(place: JobPlace<T>): Promise<JobCounts> {
    const {
      waiting = 0,
      active = 0,
      delayed = 0,
      failed = 0,
    } = await this.queue(place).getJobCounts("waiting", "active", "delayed", "failed");
    return { waiting: waiting + active, delayed, failed };
  }

  async pending<T>(place: JobPlace<T>): Promise<ReadonlySet<string>> {
    return new Set(await this.queue(place).getRanges(["waiting", "active", "delayed"], 0, markedMax - 1));
  }

  async failed<T>(place: JobPlace<T>, limit: number): Promise<readonly FailedJob<T>[]> {
    const jobs = await this.queue(place).getFailed(0, limit - 1);
    return jobs.map(({ id = "", data, failedReason, stacktrace }) => ({
      id: jobIdOf(id),
      data,
      reason: failedReason ?? "",
      history: (stacktrace ?? []).map(entryOf),
    }));
  }

  /** Those that have failed by now; one that another call took first is not counted here. */
  async retryFailed<T>(place: JobPlace<T>): Promise<number> {
    const queue = this.queue(place);
    let retried = 0;
    for (let left = await queue.getFailedCount(); left > 0; left -= retriedAtOnce) {
      const jobs = await queue.getFailed(0, Math.min(left, retriedAtOnce) - 1);
      if (jobs.length === 0) break;
      const outcomes = await Promise.all(
        jobs.map((job) =>
          job.retry("failed", { resetAttemptsMade: true, resetAttemptsStarted: true }).then(
            () => true,
            (error: unknown) => {
              if (isTaken(error)) return false;
              throw error;
            },
          ),
        ),
      );
      retried += outcomes.filter(Boolean).length;
    }
    return retried;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
  }
}

/** What BullMQ says of a job that is not among the failed ones any more: its number for it is -1, or -3. */
const isTaken = (error: unknown): boolean =>
  error instanceof Error && /not in the failed state|Missing key for job/.test(error.message);

function entryOf(stack: string): { readonly atMs: number; readonly error: string } {
  const [line = ""] = stack.split("\n", 1);
  const atMs = Date.parse(line.slice(0, 24));
  return Number.isNaN(atMs) ? { atMs: 0, error: line } : { atMs, error: line.slice(25) };
}

export const jobKeyOf = (id: string): string => `~${encodeURIComponent(id)}`;
export const jobIdOf = (key: string): string => decodeURIComponent(key.slice(1));
