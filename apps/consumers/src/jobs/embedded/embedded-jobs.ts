/**
 * Jobs on queue-core, with nothing to install: a topic of one partition for each kind, read by a group of its name.
 *
 *   add ──ids filed and messages appended in ONE commit──► topic ──► done | failed: a dead letter with its history
 *                                                            ▲  └──► not due, or to be tried again ─┐
 *                                                            └────── delayed message ◄──────────────┘
 *
 * What can go wrong:
 * - The process dies with jobs under way: the group's offset has not passed them, so the next owner does them again.
 * - It dies between planning another attempt and moving the offset: the delayed message carries the offset as its id,
 *   so the repeat is recognised.
 * - A job that waits for its next attempt would hold up the offset, and thus the reading: it waits as a message of its
 *   own, with its attempts and errors, which outlive a restart that way.
 * - Two processes add the same job at once: the commit expects the id to be absent, so one of them is refused, looks
 *   which ids are known, and adds the others.
 * - A job for each message would cost a commit each: all jobs of one `add` share one (up to 256).
 */

import type { StoredJob } from "@plateau/domain";
import { EmbeddedJobOffice, type FailedJob, type JobCounts, type JobOffice } from "@plateau/hosting/jobs";
import pLimit, { type LimitFunction } from "p-limit";
import {
  dead,
  done,
  type GroupMember,
  isRedriven,
  type Message,
  type Outcome,
  pause,
  type Queue,
  QueueError,
  stateNamespace,
  systemTimers,
  type Timers,
} from "queue-core";
import {
  errorText,
  growingRestMs,
  type JobHandler,
  type JobKind,
  type JobQueue,
  type JobWorker,
  knownForMs,
  type NewJob,
  retryWaitMs,
} from "../job-queue.ts";
import { RateGate } from "./rate-gate.ts";

export interface EmbeddedJobsOptions {
  /** With the topics of the kinds. */
  readonly queue: Queue;
  /** Those of the queue; default: the system's. */
  readonly timers?: Timers;
  /** In [0, 1); default Math.random. */
  readonly random?: () => number;
}

const jobsPerCommit = 256;
/** Fetched at once: more than run at once, so that nobody waits for a fetch, or a sync, between jobs. */
const batchesOfConcurrency = 4;
const lingerMs = 20;
const filed = Buffer.alloc(0);
const partition = 0;

export function createEmbeddedJobs(options: EmbeddedJobsOptions): JobQueue {
  return new EmbeddedJobs(options);
}

class EmbeddedJobs implements JobQueue {
  readonly store = "embedded";
  readonly #queue: Queue;
  readonly #office: JobOffice;
  readonly #timers: Timers;
  readonly #random: () => number;
  readonly #workers = new Set<JobWorker>();

  constructor({ queue, timers = systemTimers, random = Math.random }: EmbeddedJobsOptions) {
    this.#queue = queue;
    this.#office = new EmbeddedJobOffice(queue);
    this.#timers = timers;
    this.#random = random;
  }

  async add<T>(kind: JobKind<T>, jobs: readonly NewJob<T>[]): Promise<void> {
    const unique = [...new Map(jobs.map((job) => [job.id, job])).values()];
    for (let from = 0; from < unique.length; from += jobsPerCommit) {
      await this.#addSome(kind, unique.slice(from, from + jobsPerCommit));
    }
  }

  async work<T>(kind: JobKind<T>, handle: JobHandler<T>): Promise<JobWorker> {
    const worker = await EmbeddedWorker.start(kind, handle, {
      queue: this.#queue,
      timers: this.#timers,
      random: this.#random,
    });
    this.#workers.add(worker);
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
  }

  async #addSome<T>(kind: JobKind<T>, jobs: readonly NewJob<T>[]): Promise<void> {
    const { engine } = this.#queue;
    const namespace = stateNamespace("jobs", kind.topic.name, partition);
    for (let left = jobs; left.length > 0; ) {
      const nowMs = engine.now();
      try {
        await engine.commit({
          expect: left.map(({ id }) => ({ namespace, key: id, is: "absent" })),
          put: left.map(({ id }) => ({ namespace, key: id, value: filed, expiresAtMs: nowMs + knownForMs })),
          append: left.map((job) => appendOf(kind, job, nowMs)),
        });
        return;
      } catch (error) {
        if (!(error instanceof QueueError) || error.code !== "CONFLICT") throw error;
      }
      // Whoever added some of them may still be on the way to the disk: after this commit that one is, and visible.
      await engine.commit({});
      const ids = left.map(({ id }) => id);
      const known = await engine.readState(namespace, ids);
      left = left.filter((_, index) => known[index] === undefined);
    }
  }
}

function appendOf<T>({ topic }: JobKind<T>, { id, data, delayMs }: NewJob<T>, nowMs: number) {
  const due = delayMs === undefined ? {} : { dueMs: nowMs + delayMs };
  const job: StoredJob<T> = { id, data, attempt: 1, history: [], ...due };
  return { topic: topic.name, partition, key: topic.keyOf(job), value: topic.codec.encode(job) };
}

interface Ground {
  readonly queue: Queue;
  readonly timers: Timers;
  readonly random: () => number;
}

class EmbeddedWorker<T> implements JobWorker {
  readonly #kind: JobKind<T>;
  readonly #handle: JobHandler<T>;
  readonly #ground: Ground;
  readonly #limit: LimitFunction;
  readonly #gate: RateGate | undefined;
  readonly #stopping = new AbortController();
  #member: GroupMember | undefined;
  #restUntilMs = 0;
  /** Without anything done or failed in between. */
  #rests = 0;

  private constructor(kind: JobKind<T>, handle: JobHandler<T>, ground: Ground) {
    this.#kind = kind;
    this.#handle = handle;
    this.#ground = ground;
    this.#limit = pLimit(kind.concurrency);
    this.#gate = kind.rate && new RateGate(kind.rate, () => ground.queue.now(), ground.timers);
  }

  static async start<T>(kind: JobKind<T>, handle: JobHandler<T>, ground: Ground): Promise<EmbeddedWorker<T>> {
    const worker = new EmbeddedWorker(kind, handle, ground);
    worker.#member = await ground.queue.consume<StoredJob<T>>({
      group: kind.name,
      topic: kind.topic,
      maxBatch: kind.concurrency * batchesOfConcurrency,
      lingerMs,
      concurrency: 2,
      handle: (batch, signal) => worker.#runAll(batch, signal),
    });
    return worker;
  }

  async stop(options?: { readonly graceMs?: number }): Promise<void> {
    this.#stopping.abort();
    await this.#member?.stop(options);
  }

  kill(): void {
    this.#stopping.abort();
    this.#member?.kill();
  }

  #runAll(batch: readonly Message<StoredJob<T>>[], signal: AbortSignal): Promise<readonly Outcome[]> {
    return Promise.all(batch.map((message) => this.#limit(() => this.#runOne(message, signal))));
  }

  async #runOne(message: Message<StoredJob<T>>, signal: AbortSignal): Promise<Outcome> {
    const { id, data, dueMs = 0, history } = message.value;
    // One that had failed for good and was sent again has all its attempts before it.
    const attempt = isRedriven(message.headers) ? 1 : message.value.attempt;
    const { queue, random } = this.#ground;
    const earlyMs = dueMs - queue.now();
    if (earlyMs > 0) return this.#later(message, { ...message.value, attempt }, earlyMs);
    await this.#gate?.admit(this.#stopping.signal);
    const restMs = this.#restUntilMs - queue.now();
    if (restMs > 0 || this.#stopping.signal.aborted) return pause({ afterMs: Math.max(0, restMs) });
    let outcome: Outcome;
    try {
      outcome = await this.#handle({ id, data, attempt }, signal);
    } catch (error) {
      outcome = { kind: "retry", error };
    }
    if (outcome.kind === "pause") return this.#rest(outcome.afterMs);
    this.#rests = 0;
    if (outcome.kind !== "retry") return outcome;
    const error = errorText(outcome.error);
    if (attempt >= this.#kind.attempts) return dead(`gave up after ${attempt} attempts: ${error}`);
    const again = { id, data, attempt: attempt + 1, history: [...history, { atMs: queue.now(), error }] };
    return this.#later(message, again, outcome.afterMs ?? retryWaitMs(this.#kind, attempt, random));
  }

  /** The kind rests: whoever began before may still end, nobody begins. */
  #rest(afterMs = growingRestMs(this.#rests++)): Outcome {
    this.#restUntilMs = Math.max(this.#restUntilMs, this.#ground.queue.now() + afterMs);
    return pause({ afterMs });
  }

  async #later({ offset }: Message<unknown>, job: StoredJob<T>, delayMs: number): Promise<Outcome> {
    const { queue } = this.#ground;
    const at = { dueMs: queue.now() + delayMs };
    try {
      await queue.publish(this.#kind.topic, { ...job, ...at }, { delayMs, id: `after ${offset}` });
      return done;
    } catch {
      // Not known to be stored, so it is done again from where it stands.
      return pause();
    }
  }
}
