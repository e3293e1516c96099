/**
 * The jobs that lie on queue-core's topics: waiting ones are messages that the kind's group has yet to pass, delayed
 * ones delayed messages, failed ones dead letters.
 *
 * What can go wrong: the group's offset passes jobs in order, so one that runs long makes those behind it, done already,
 * look as if they waited. That errs on the side of waiting.
 */
import { delayNamespace, type Queue } from "queue-core";
import type { FailedJob, JobCounts, JobOffice, JobPlace } from "./job-office.ts";

const countedMax = 10_000;
const readAtOnce = 1_000;
const partition = 0;

/** Its queue is somebody else's to stop. */
export class EmbeddedJobOffice implements JobOffice {
  readonly #queue: Queue;

  constructor(queue: Queue) {
    this.#queue = queue;
  }

  async counts<T>({ name, topic }: JobPlace<T>): Promise<JobCounts> {
    const [statistics, delayed, failed] = await Promise.all([
      this.#queue.groupStatistics(name, topic),
      this.#queue.engine.scanState(delayNamespace(topic.name, partition), { limit: countedMax }),
      this.#queue.deadLetters(name, topic, countedMax),
    ]);
    const waiting = statistics.reduce((sum, { lagMessages }) => sum + lagMessages, 0);
    return { waiting, delayed: delayed.length, failed: failed.length };
  }

  async pending<T>({ name, topic }: JobPlace<T>): Promise<ReadonlySet<string>> {
    const { engine } = this.#queue;
    // In this order: a delayed one that becomes a message meanwhile is met twice, never not at all.
    const delayed = await engine.scanState(delayNamespace(topic.name, partition), { limit: countedMax });
    const marks = new Set(delayed.map(({ key }) => `delayed ${key}`));
    let next = await engine.committedOffset({ group: name, topic: topic.name, partition });
    const { end } = await engine.range(topic.name, partition);
    while (next < end && marks.size < countedMax) {
      const messages = await engine.read(topic.name, partition, next, { maxMessages: readAtOnce });
      for (const { offset } of messages) marks.add(`at ${offset}`);
      next = (messages.at(-1)?.offset ?? end) + 1;
    }
    return marks;
  }

  async failed<T>({ name, topic }: JobPlace<T>, limit: number): Promise<readonly FailedJob<T>[]> {
    const letters = await this.#queue.deadLetters(name, topic, limit);
    return letters.map(({ message, reason, history }) => ({
      id: message.value?.id ?? message.key,
      data: message.value?.data,
      reason,
      history: [...(message.value?.history ?? []), ...history],
    }));
  }

  /** Whoever works on them gives a job that comes this way all its attempts. */
  retryFailed<T>({ name, topic }: JobPlace<T>): Promise<number> {
    return this.#queue.redrive(name, topic);
  }

  async stop(): Promise<void> {}
}
