/**
 * Jobs on BullMQ: a queue in Redis for each kind, shared by any number of processes.
 *
 * What can go wrong:
 * - A worker dies with jobs under way: their locks run out, and another worker takes them up again, up to
 *   `stalledMax` times (a job that kills every process that touches it has to end somewhere).
 * - Redis is down: `add` rejects within 5 s instead of waiting for it to come back, so that whoever adds
 *   can pause; workers wait, and go on when it is back.
 * - A connection goes half-open (its peer is gone and nobody said so): a deadline for each command would fail them all,
 *   one after another, for as long as the process lives. So a socket that owes an answer and says nothing for
 *   4 s, or a worker's for `workerSilenceMs`, is destroyed, and a new one made.
 * - Redis loses its memory: nothing here notices, and nothing has to (see job-queue.ts).
 * - Finished jobs would fill the memory: they stay for as long as their ids are to be known, and no more than
 *   `keptDone`; failed ones for a week.
 */
import { jobQueuePrefix } from "@plateau/domain";
import { BullmqJobOffice, jobIdOf, jobKeyOf } from "@plateau/hosting/bullmq";
import type { FailedJob, JobCounts } from "@plateau/hosting/jobs";
import { type JobsOptions, type Queue, UnrecoverableError, Worker } from "bullmq";
import type { Outcome } from "queue-core";
import {
  errorText,
  growingRestMs,
  type Job,
  type JobHandler,
  type JobKind,
  type JobQueue,
  type JobWorker,
  knownForMs,
  type NewJob,
  retryWaitMs,
} from "../job-queue.ts";

export interface BullmqJobsOptions {
  /** `redis://…`, or the path of a socket. */
  readonly url: string;
  /** How long a worker that went silent keeps its jobs, ms; default 10,000. */
  readonly lockMs?: number;
  /** In [0, 1); default Math.random. */
  readonly random?: () => number;
  /** Hears of lost connections and the like; work goes on. */
  readonly onError: (error: unknown) => void;
}

/** Longer than a worker's blocking read, which BullMQ lets wait for up to 10 s. */
const workerSilenceMs = 12_000;
const jobsPerCall = 256;
const stalledMax = 16;
const keptDone = 20_000;
const keptFailed = { age: 7 * 86_400, count: 5_000 };
/** So much that it limits nothing: BullMQ honours a rest only where there is a limit. */
const noRate = { max: 1_000_000, perMs: 1 };

export function createBullmqJobs(options: BullmqJobsOptions): JobQueue {
  return new BullmqJobs(options);
}

class BullmqJobs implements JobQueue {
  readonly store = "redis";
  readonly #options: BullmqJobsOptions;
  readonly #office: BullmqJobOffice;
  readonly #workers = new Set<JobWorker>();

  constructor(options: BullmqJobsOptions) {
    this.#options = options;
    this.#office = new BullmqJobOffice(options);
  }

  async add<T>(kind: JobKind<T>, jobs: readonly NewJob<T>[]): Promise<void> {
    const queue = this.#office.queue(kind);
    for (let from = 0; from < jobs.length; from += jobsPerCall) {
      await queue.addBulk(
        jobs.slice(from, from + jobsPerCall).map(({ id, data, delayMs }) => ({
          name: kind.name,
          data,
          opts: { ...optionsOf(kind), jobId: jobKeyOf(id), ...(delayMs === undefined ? {} : { delay: delayMs }) },
        })),
      );
    }
  }

  async work<T>(kind: JobKind<T>, handle: JobHandler<T>): Promise<JobWorker> {
    const worker = new BullmqWorker(kind, handle, this.#options, this.#office.queue(kind));
    this.#workers.add(worker);
    await worker.ready();
    return worker;
  }

  counts<T>(kind: JobKind<T>): Promise<JobCounts> {
    return this.#office.counts(kind);
  }

  pending<T>(kind: JobKind<T>): Promise<ReadonlySet<string>> {
    return this.#office.pending(kind);
  }

  failed<T>(kind: JobKind<T>, limit: number): Promise<readonly FailedJob<T>[]> {
    return this.#office.failed(kind, limit);
  }

  retryFailed<T>(kind: JobKind<T>): Promise<number> {
    return this.#office.retryFailed(kind);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#workers].map((worker) => worker.stop()));
    await this.#office.stop();
  }
}

class BullmqWorker<T> implements JobWorker {
  readonly #kind: JobKind<T>;
  readonly #handle: JobHandler<T>;
  readonly #queue: Queue;
  readonly #random: () => number;
  readonly #worker: Worker<T, void>;
  /** What the handlers of jobs that are cut short hear. */
  readonly #abort = new AbortController();
  #rests = 0;

  constructor(kind: JobKind<T>, handle: JobHandler<T>, options: BullmqJobsOptions, queue: Queue) {
    const { url, lockMs = 10_000, random = Math.random, onError } = options;
    this.#kind = kind;
    this.#handle = handle;
    this.#queue = queue;
    this.#random = random;
    const { max, perMs } = kind.rate ?? noRate;
    this.#worker = new Worker<T, void>(
      kind.name,
      ({ id = "", data, attemptsMade }) => this.#run({ id: jobIdOf(id), data, attempt: attemptsMade + 1 }),
      {
        connection: { url, maxRetriesPerRequest: null, socketTimeout: workerSilenceMs },
        prefix: jobQueuePrefix,
        concurrency: kind.concurrency,
        limiter: { max, duration: perMs },
        lockDuration: lockMs,
        stalledInterval: lockMs,
        maxStalledCount: stalledMax,
        settings: { backoffStrategy: (attemptsMade, _type, error) => this.#waitMs(attemptsMade, error) },
      },
    );
    this.#worker.on("error", onError);
  }

  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
  }

  async stop({ graceMs = 5_000 }: { readonly graceMs?: number } = {}): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const graceIsOver = new Promise<"over">((resolve) => {
      timer = setTimeout(() => resolve("over"), graceMs);
    });
    const ended = await Promise.race([this.#worker.pause(), graceIsOver]);
    clearTimeout(timer);
    if (ended === "over") this.#abort.abort();
    await this.#worker.close(ended === "over");
  }

  kill(): void {
    this.#abort.abort();
    void this.#worker.close(true);
  }

  async #run(job: Job<T>): Promise<void> {
    let outcome: Outcome;
    try {
      outcome = await this.#handle(job, this.#abort.signal);
    } catch (error) {
      outcome = { kind: "retry", error };
    }
    if (outcome.kind !== "pause") this.#rests = 0;
    switch (outcome.kind) {
      case "done":
        return;
      case "dead":
        throw told(new UnrecoverableError(outcome.reason));
      case "pause":
        await this.#queue.rateLimit(Math.max(1, Math.ceil(outcome.afterMs ?? growingRestMs(this.#rests++))));
        throw Worker.RateLimitError();
      case "retry":
        throw told(new FailedAttempt(errorText(outcome.error), outcome.afterMs, outcome.error));
    }
  }

  #waitMs(attemptsMade: number, error: Error | undefined): number {
    const asked = error instanceof FailedAttempt ? error.afterMs : undefined;
    return asked ?? retryWaitMs(this.#kind, attemptsMade, this.#random);
  }
}

/** What a handler's `retry` looks like to BullMQ. */
class FailedAttempt extends Error {
  override readonly name = "FailedAttempt";
  readonly afterMs: number | undefined;

  constructor(text: string, afterMs: number | undefined, cause: unknown) {
    super(text, { cause });
    this.afterMs = afterMs;
  }
}

/** BullMQ keeps the stack of each failure: its first line tells when, and what. */
function told<E extends Error>(error: E): E {
  error.stack = `${new Date().toISOString()} ${error.message}\n${error.stack ?? ""}`;
  return error;
}

const optionsOf = ({ attempts }: Pick<JobKind<unknown>, "attempts">): JobsOptions => ({
  attempts,
  backoff: { type: "custom" },
  stackTraceLimit: attempts,
  removeOnComplete: { age: knownForMs / 1_000, count: keptDone },
  removeOnFail: keptFailed,
});
