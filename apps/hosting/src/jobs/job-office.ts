/**
 * Jobs as those see them who do not work on them: the control room and the audit. What adds and does them stands above
 * this (apps/consumers/src/jobs), and promises the same of both stores in one suite.
 */
import type { JobError, JobKindName, StoredJob } from "@plateau/domain";
import type { Topic } from "queue-core";

/** Where the jobs of a kind are kept: in a queue of that name, or in that topic. */
export interface JobPlace<T> {
  readonly name: JobKindName;
  readonly topic: Topic<StoredJob<T>>;
}

export interface FailedJob<T> {
  readonly id: string;
  /** Undefined where it cannot be read. */
  readonly data: T | undefined;
  readonly reason: string;
  readonly history: readonly JobError[];
}

/** How many there are now; those after the first 10,000 of a state may go uncounted. */
export interface JobCounts {
  /** To be done, and being done. */
  readonly waiting: number;
  readonly delayed: number;
  readonly failed: number;
}

/** Every call rejects with what the store says where it does not answer. */
export interface JobOffice {
  counts<T>(place: JobPlace<T>): Promise<JobCounts>;
  /**
   * Marks of what is to be done, is being done, or waits for its time, up to the first 10,000. What was added before
   * the call is done, or has failed for good, once none of the marks it got is among those of a later call; a mark may
   * be gone before, where a job goes on to its next attempt.
   */
  pending<T>(place: JobPlace<T>): Promise<ReadonlySet<string>>;
  /** Those that failed for good. */
  failed<T>(place: JobPlace<T>, limit: number): Promise<readonly FailedJob<T>[]>;
  /** Gives each failed job all its attempts anew, once, whoever else does the same; resolves with how many. */
  retryFailed<T>(place: JobPlace<T>): Promise<number>;
  stop(): Promise<void>;
}
