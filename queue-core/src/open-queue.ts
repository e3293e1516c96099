/**
 * Opens a queue over any engine: declares the topics, puts the mechanisms together, and stops them in order.
 *
 * Contracts of `stop`: it can be called twice; once it resolved no timer, no thread, no lease and no handle of the queue
 * is left, and whatever still waited was told so.
 *
 * What can go wrong: something left running after `stop` keeps the process alive or writes to a closed engine.
 * Everything that is started is entered in one list, and `stop` ends it in the order members → transactional
 * publishers → requesters → delays → engine; what is started while it stops is ended at once.
 */
import { randomUUID } from "node:crypto";
import { PartitionConsumer } from "./consume.ts";
import { listDeadLetters, redriveDeadLetters } from "./dead-letters.ts";
import { DelayedHere, DelayScheduler } from "./delay.ts";
import type { Engine } from "./engine.ts";
import { QueueError } from "./errors.ts";
import { joinGroup } from "./group-member.ts";
import { HalfMessages, type TransactionalOptions } from "./half-messages.ts";
import { type Interceptor, InterceptorChain } from "./interceptors.ts";
import { checkName, membershipName, memberTraits, repliesTopicName } from "./namespaces.ts";
import { checkMs, checkPositive } from "./number-checks.ts";
import { PartitionProcess } from "./process.ts";
import { Publisher } from "./publish.ts";
import type {
  ConsumeOptions,
  GroupMember,
  Message,
  PartitionStatistics,
  ProcessOptions,
  Queue,
  Requester,
  TransactionalPublisher,
} from "./queue.ts";
import { guardedReport, type QueueContext } from "./queue-context.ts";
import { ReplyRequester, replyPartitions, replyRingMessages } from "./request-reply.ts";
import { AppendSignals, Signals } from "./signals.ts";
import { createStateView } from "./state-view.ts";
import { systemTimers, type Timers } from "./timers.ts";
import type { Topic } from "./topic.ts";

/** What a queue is opened with. `engine` and `topics` are needed; times are ms. */
export interface QueueOptions {
  /** Owned by the queue from now on: `stop` closes it, and so does an `openQueue` that fails. */
  readonly engine: Engine;
  /** Every topic that this process publishes to, reads or emits to. */
  readonly topics: readonly (Topic<never> | Topic<unknown>)[];
  /** How long a member that went silent keeps its partitions, ms; default 3,000. */
  readonly leaseMs?: number;
  /** Default: the system's timers. */
  readonly timers?: Timers;
  /** In [0, 1); default Math.random. For backoff, jitter and ids of members. */
  readonly random?: () => number;
  /** What people call this process where they look at who reads what; default: its pid. */
  readonly processName?: string;
  /** See every message of this process on its way in and out, in this order; default none. */
  readonly interceptors?: readonly Interceptor[];
  /** Hears of faults in background loops, which go on. Default: a process warning. */
  readonly onBackgroundError?: (where: string, error: unknown) => void;
}

const defaultLeaseMs = 3_000;

interface Stoppable {
  stop(): Promise<void>;
}

/**
 * Throws INVALID_ARGUMENT for a topic declared twice, with a bad name, or otherwise than the engine knows it. The
 * engine is closed then too: nobody else has it any more.
 */
export async function openQueue(options: QueueOptions): Promise<Queue> {
  try {
    return await open(options);
  } catch (error) {
    const report = guardedReport(options.onBackgroundError);
    await options.engine.close().catch((fault: unknown) => report("closing the engine after a failed open", fault));
    throw error;
  }
}

async function open(options: QueueOptions): Promise<Queue> {
  const topics = options.topics as readonly Topic<unknown>[];
  checkTopics(topics);
  checkMs("leaseMs", options.leaseMs);
  if (options.processName !== undefined) checkName("process", options.processName);
  await options.engine.declareTopics([
    ...topics.map(({ name, partitions, ringMessages }) =>
      ringMessages === undefined ? { name, partitions } : { name, partitions, ringMessages },
    ),
    { name: repliesTopicName, partitions: replyPartitions, ringMessages: replyRingMessages },
  ]);
  const queue = new OpenQueue(contextOf(options), topics);
  queue.start();
  return queue;
}

function checkTopics(topics: readonly Topic<unknown>[]): void {
  const names = new Set<string>([repliesTopicName]);
  for (const { name } of topics) {
    checkName("topic", name);
    if (names.has(name)) throw new QueueError("INVALID_ARGUMENT", `topic ${name} is declared twice or is reserved`);
    names.add(name);
  }
}

function contextOf(options: QueueOptions): QueueContext {
  const { interceptors = [], onBackgroundError } = options;
  const report = guardedReport(onBackgroundError);
  return {
    engine: options.engine,
    timers: options.timers ?? systemTimers,
    random: options.random ?? Math.random,
    appends: new AppendSignals(options.engine),
    groupChanges: new Signals(),
    advances: { count: 0 },
    delayed: new DelayedHere(),
    leaseMs: options.leaseMs ?? defaultLeaseMs,
    instance: options.random === undefined ? randomUUID().slice(0, 13) : instanceFrom(options.random),
    process: options.processName ?? String(process.pid),
    interceptors: interceptors.length === 0 ? undefined : new InterceptorChain(interceptors, report),
    report,
  };
}

/** As unlike any other as the source of chance allows: a simulation must name the same instances again. */
function instanceFrom(random: () => number): string {
  const digits = () => Math.floor(random() * 2 ** 32).toString(16);
  return `${digits()}-${digits()}`;
}

class OpenQueue implements Queue {
  readonly engine: Engine;
  readonly #context: QueueContext;
  readonly #publisher: Publisher;
  readonly #delays: DelayScheduler;
  readonly #topics = new Map<string, Topic<unknown>>();
  readonly #members = new Set<Stoppable>();
  readonly #transactional = new Set<Stoppable>();
  readonly #requesters = new Set<Stoppable>();
  #requesterCount = 0;
  #stopping: Promise<void> | undefined;

  constructor(context: QueueContext, topics: readonly Topic<unknown>[]) {
    this.engine = context.engine;
    this.#context = context;
    this.#publisher = new Publisher(context);
    this.#delays = new DelayScheduler(context);
    for (const topic of topics) {
      this.#topics.set(topic.name, topic);
      this.#publisher.addTopic(topic);
      this.#delays.watch(topic.name, topic.partitions);
    }
    this.publish = this.#publisher.publish.bind(this.#publisher);
  }

  start(): void {
    this.#delays.start();
  }

  readonly publish: Queue["publish"];

  now(): number {
    return this.engine.now();
  }

  async consume<T>(options: ConsumeOptions<T>): Promise<GroupMember> {
    this.#checkOpen(options.topic.name);
    checkPositive("maxBatch", options.maxBatch);
    checkPositive("concurrency", options.concurrency);
    checkPositive("maxAttempts", options.maxAttempts);
    checkPositive("windowMessages", options.windowMessages);
    checkPositive("windowBytes", options.windowBytes);
    checkMs("lingerMs", options.lingerMs);
    checkMs("lingerMaxMs", options.lingerMaxMs);
    const member = await joinGroup(
      this.#context,
      options,
      (counters) => (lease, lost) => new PartitionConsumer(this.#context, options, lease, counters, lost),
    );
    return this.#keepMember(member);
  }

  async process<T, Facts = undefined>(options: ProcessOptions<T, Facts>): Promise<GroupMember> {
    this.#checkOpen(options.topic.name);
    checkPositive("maxBatch", options.maxBatch);
    checkMs("budgetMs of prepare", options.prepare?.budgetMs);
    const member = await joinGroup(
      this.#context,
      options,
      (counters) => (lease, lost) => new PartitionProcess(this.#context, options, lease, counters, lost),
    );
    return this.#keepMember(member);
  }

  async requester(): Promise<Requester> {
    this.#checkOpen();
    const id = `${this.#context.instance}-r${this.#requesterCount++}`;
    const requester: ReplyRequester = new ReplyRequester(this.#context, this.#publisher, id, () =>
      this.#requesters.delete(requester),
    );
    await requester.open();
    return this.#keep(this.#requesters, requester);
  }

  async transactional<T>(options: TransactionalOptions<T>): Promise<TransactionalPublisher<T>> {
    this.#checkOpen(options.topic.name);
    checkName("group", options.group);
    checkPositive("maxChecks", options.maxChecks);
    checkMs("checkAfterMs", options.checkAfterMs);
    checkMs("checkEveryMs", options.checkEveryMs);
    const halves: HalfMessages<T> = new HalfMessages(this.#context, this.#publisher, options, () =>
      this.#transactional.delete(halves),
    );
    return this.#keep(this.#transactional, halves);
  }

  state(group: string, topic: Topic<never> | Topic<unknown>) {
    return createStateView(this.engine, group, topic);
  }

  async browse<T>(
    topic: Topic<T>,
    partition: number,
    fromOffset: number,
    limit: number,
  ): Promise<readonly Message<T>[]> {
    const messages = await this.engine.read(topic.name, partition, fromOffset, { maxMessages: limit });
    return messages.map(({ value: bytes, ...message }) => {
      try {
        return { ...message, value: topic.codec.decode(bytes), attempt: 0 };
      } catch (error) {
        const place = `${message.topic}/${message.partition} at offset ${message.offset}`;
        throw new QueueError("CORRUPT", `the message in ${place} cannot be decoded`, { cause: error });
      }
    });
  }

  async groupStatistics(group: string, topic: Topic<never> | Topic<unknown>): Promise<readonly PartitionStatistics[]> {
    const numbers = Array.from({ length: topic.partitions }, (_, partition) => partition);
    // All at once: an engine behind a wire answers them together.
    const [members, readings] = await Promise.all([
      this.engine.members(membershipName(group, topic.name)),
      Promise.all(
        numbers.map((partition) =>
          Promise.all([
            this.engine.range(topic.name, partition),
            this.engine.committedOffset({ group, topic: topic.name, partition }),
          ]),
        ),
      ),
    ]);
    return readings.map(([{ start, end }, committed], partition) => {
      // The member it is assigned to: who really holds the lease may lag behind by one hand-over.
      const id = members[partition % members.length];
      const owner = id === undefined ? undefined : memberTraits(id).name;
      return { partition, start, end, committed, lagMessages: Math.max(0, end - Math.max(committed, start)), owner };
    });
  }

  deadLetters<T>(group: string, topic: Topic<T>, limit: number) {
    return listDeadLetters(this.engine, group, topic, limit);
  }

  redrive<T>(group: string, topic: Topic<T>): Promise<number> {
    return redriveDeadLetters(this.engine, group, topic);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    for (const kind of [this.#members, this.#transactional, this.#requesters]) {
      await Promise.all([...kind].map((running) => running.stop()));
    }
    await this.#delays.stop();
    this.#context.appends.stop();
    await this.engine.close();
  }

  #checkOpen(topic?: string): void {
    if (this.#stopping !== undefined) throw new QueueError("CLOSED");
    if (topic === undefined || this.#topics.has(topic)) return;
    throw new QueueError("UNKNOWN_TOPIC", `topic ${topic} was not given to openQueue`);
  }

  /** A member is forgotten once it ended by itself, so that many short ones leave nothing behind. */
  #keepMember(member: GroupMember): Promise<GroupMember> {
    const kept: GroupMember = {
      group: member.group,
      member: member.member,
      statistics: () => member.statistics(),
      stop: (options) => member.stop(options).finally(() => this.#members.delete(kept)),
      kill: () => {
        member.kill();
        this.#members.delete(kept);
      },
    };
    return this.#keep(this.#members, kept);
  }

  async #keep<Running extends Stoppable>(kind: Set<Stoppable>, running: Running): Promise<Running> {
    if (this.#stopping !== undefined) {
      await running.stop();
      throw new QueueError("CLOSED");
    }
    kind.add(running);
    return running;
  }
}
