/**
 * From events to jobs: a group of a topic adds a job for each event that asks for one, named after the event.
 *
 * What can go wrong:
 * - An event is delivered again, or told again: its job has the same id. Where the store has forgotten the id, the job
 *   is done again, so what it does carries a key of its own.
 * - The job store does not answer: the partition rests, and no attempt is spent. The sale and all other groups go on.
 */
import type { Logger } from "pino";
import { done, type GroupMember, type Message, type Outcome, pause, type Queue, type Topic } from "queue-core";
import type { JobKind, JobQueue, NewJob } from "./job-queue.ts";

export interface JobsOfEvents<Event, T> {
  readonly queue: Queue;
  readonly jobs: JobQueue;
  readonly log: Logger;
  readonly group: string;
  readonly topic: Topic<Event>;
  readonly kind: JobKind<T>;
  readonly member?: string;
  /** Undefined: this event asks for none. */
  jobOf(event: Event): NewJob<T> | undefined;
}

/** An `add` costs one commit or one round trip, however many jobs it adds: in a flood fewer and larger ones. */
const batching = { maxBatch: 500, lingerMs: 50, lingerMaxMs: 500 };

export function startJobsOfEvents<Event, T>(options: JobsOfEvents<Event, T>): Promise<GroupMember> {
  const { queue, jobs, log, group, topic, kind, member, jobOf } = options;
  return queue.consume<Event>({
    group,
    topic,
    ...batching,
    ...(member === undefined ? {} : { member }),
    handle: async (batch: readonly Message<Event>[]): Promise<Outcome> => {
      const asked = batch.flatMap(({ value }) => jobOf(value) ?? []);
      if (asked.length === 0) return done;
      try {
        await jobs.add(kind, asked);
        return done;
      } catch (error) {
        log.warn({ err: error, kind: kind.name, jobs: asked.length }, "jobs could not be added; the group rests");
        return pause();
      }
    },
  });
}
