/**
 * An edge of the way looked into: who reads a topic and how far they are, what lies there, what was given up on.
 *
 * What can go wrong: a topic may hold millions, so only the newest few are read, and a value only up to a size.
 */
import {
  type GroupOnTopic,
  type PeekedMessage,
  Problem,
  TopicQuery,
  TopicSummaries,
  type TopicSummary,
  TopicView,
} from "@plateau/domain";
import type { FastifyInstance } from "fastify";
import type { Queue, Topic } from "queue-core";
import { z } from "zod";
import { ProblemError } from "../edge/problem.ts";
import { oldestAgeMs } from "../flow/way.ts";
import type { Gateway } from "../gateway.ts";
import { countLettersOf } from "./dead-letters.ts";
import { peeked } from "./peeked.ts";
import { topicReaders } from "./topic-readers.ts";

const tags = ["ops"];
const usualLimit = 20;
/** Of one partition; the newest few of a partition are never more. */
const readMaxBytes = 256 * 1024;
const TopicParams = z.object({ topic: z.string().max(60) });

export function topicRoutes(ops: FastifyInstance, { queue }: Gateway): void {
  ops.get(
    "/ops/topics",
    { schema: { tags, summary: "Topics, how much each keeps, and who reads it", response: { 200: TopicSummaries } } },
    async () => ({ topics: await Promise.all(topicReaders.map((one) => summaryOf(queue, one))) }),
  );
  ops.get<{ Params: z.infer<typeof TopicParams>; Querystring: z.infer<typeof TopicQuery> }>(
    "/ops/topics/:topic",
    {
      schema: {
        tags,
        summary: "A topic with its groups partition by partition, its newest messages and its dead letters",
        params: TopicParams,
        querystring: TopicQuery,
        response: { 200: TopicView, "4xx": Problem },
      },
    },
    async ({ params, query }) => {
      const readers = topicReaders.find(({ topic }) => topic.name === params.topic);
      if (readers === undefined) throw new ProblemError("not-found", "No such topic");
      return viewOf(queue, readers, query.limit ?? usualLimit);
    },
  );
}

type Readers = (typeof topicReaders)[number];

async function summaryOf(queue: Queue, { topic, groups }: Readers): Promise<TopicSummary> {
  const [ranges, standings] = await Promise.all([
    rangesOf(queue, topic),
    Promise.all(
      groups.map(async (group) => ({
        group,
        lagMessages: lagOf(await queue.groupStatistics(group, topic)),
        deadLetters: await countLettersOf(queue, group, topic.name),
      })),
    ),
  ]);
  return {
    topic: topic.name,
    partitions: topic.partitions,
    messages: ranges.reduce((sum, { start, end }) => sum + end - start, 0),
    groups: standings,
  };
}

async function viewOf(queue: Queue, { topic, groups, mayGiveUp }: Readers, limit: number): Promise<TopicView> {
  const [partitions, standings, latest, letters] = await Promise.all([
    rangesOf(queue, topic),
    Promise.all(groups.map((group) => standingOf(queue, group, topic))),
    latestOf(queue, topic, limit),
    Promise.all(mayGiveUp.map((group) => lettersOf(queue, group, topic, limit))),
  ]);
  return { topic: topic.name, partitions, groups: standings, latest, deadLetters: letters.flat() };
}

async function rangesOf({ engine }: Queue, { name, partitions }: Topic<unknown>): Promise<TopicView["partitions"]> {
  const numbers = Array.from({ length: partitions }, (_, partition) => partition);
  return Promise.all(numbers.map(async (partition) => ({ partition, ...(await engine.range(name, partition)) })));
}

async function standingOf(queue: Queue, group: string, topic: Topic<unknown>): Promise<GroupOnTopic> {
  const [statistics, leases] = await Promise.all([
    queue.groupStatistics(group, topic),
    queue.engine.leases(group, topic.name),
  ]);
  const leaseOf = (partition: number) =>
    leases.find((lease) => lease.partition === partition && lease.member !== undefined);
  const partitions = statistics.map(async (one) => ({
    partition: one.partition,
    committed: one.committed,
    end: one.end,
    lagMessages: one.lagMessages,
    oldestAgeMs: await oldestAgeMs(queue, topic.name, one),
    owner: leaseOf(one.partition)?.member ?? null,
    epoch: leaseOf(one.partition)?.epoch ?? null,
  }));
  return {
    group,
    lagMessages: lagOf(statistics),
    deadLetters: await countLettersOf(queue, group, topic.name),
    partitions: await Promise.all(partitions),
  };
}

async function latestOf(queue: Queue, topic: Topic<unknown>, limit: number): Promise<PeekedMessage[]> {
  const { engine } = queue;
  const ofPartitions = (await rangesOf(queue, topic)).map(({ partition, start, end }) =>
    engine.read(topic.name, partition, Math.max(start, end - limit), {
      maxMessages: limit,
      maxBytes: readMaxBytes,
    }),
  );
  const newest = (await Promise.all(ofPartitions))
    .flat()
    .sort((one, other) => other.timestampMs - one.timestampMs || other.offset - one.offset);
  return newest.slice(0, limit).map((message) => peeked(topic, message));
}

async function lettersOf(
  queue: Queue,
  group: string,
  topic: Topic<unknown>,
  limit: number,
): Promise<TopicView["deadLetters"]> {
  const letters = await queue.deadLetters(group, topic, limit);
  return letters.map(({ message, bytes, reason, history }) => ({
    ...peeked(topic, { ...message, value: bytes }),
    group,
    reason,
    errors: history.map(({ atMs, error }) => ({ atMs, error })),
  }));
}

const lagOf = (statistics: readonly { readonly lagMessages: number }[]): number =>
  statistics.reduce((sum, { lagMessages }) => sum + lagMessages, 0);
