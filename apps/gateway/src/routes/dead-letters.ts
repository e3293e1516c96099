/**
 * Dead letters in the control room: how many each group has, what they are, and sending them down their way again.
 *
 * What can go wrong: a group may have given up on very many, so counts and lists are bounded; a message that waited
 * for its time and could never be moved (group `$delay`) belongs to no group that could take it, so it is only
 * counted.
 */
import { Problem } from "@plateau/domain";
import type { FastifyInstance } from "fastify";
import { deadLetterNamespace, type Queue } from "queue-core";
import { z } from "zod";
import { ProblemError } from "../edge/problem.ts";
import type { Gateway } from "../gateway.ts";
import { topicReaders } from "./topic-readers.ts";

/** A group with more is told to have this many. */
const countedMax = 10_000;
const listedMaxPerGroup = 50;
const delayed = "$delay";

export interface DeadLetterCount {
  readonly group: string;
  readonly topic: string;
  readonly count: number;
}

/** Those kept now, for every group and topic, also where there are none. */
export function countDeadLetters({ engine }: Queue): Promise<DeadLetterCount[]> {
  return Promise.all(
    topicReaders.flatMap(({ topic, mayGiveUp }) =>
      [...mayGiveUp, delayed].map(async (group) => ({
        group,
        topic: topic.name,
        count: await countLettersOf({ engine }, group, topic.name),
      })),
    ),
  );
}

export async function countLettersOf({ engine }: Pick<Queue, "engine">, group: string, topic: string): Promise<number> {
  const kept = await engine.scanState(deadLetterNamespace(group, topic), { limit: countedMax });
  return kept.length;
}

const Place = z.object({ group: z.string().max(60), topic: z.string().max(60) });

/** `ops` asks for the admin token. */
export function deadLetterRoutes(ops: FastifyInstance, { queue }: Gateway): void {
  ops.get(
    "/ops/dead-letters",
    { schema: { tags: ["ops"], summary: `What groups gave up on, up to ${listedMaxPerGroup} of each` } },
    async () => {
      const lists = topicReaders.flatMap(({ topic, mayGiveUp }) =>
        mayGiveUp.map((group) => queue.deadLetters(group, topic, listedMaxPerGroup)),
      );
      const letters = (await Promise.all(lists)).flat();
      return {
        counts: (await countDeadLetters(queue)).filter(({ count }) => count > 0),
        deadLetters: letters.map(({ group, message, reason, history }) => ({
          group,
          topic: message.topic,
          partition: message.partition,
          offset: message.offset,
          key: message.key,
          value: message.value ?? null,
          reason,
          history,
        })),
      };
    },
  );
  ops.post<{ Params: z.infer<typeof Place> }>(
    "/ops/dead-letters/:group/:topic/redrive",
    {
      schema: {
        tags: ["ops"],
        summary: "Sends a group's dead letters to it again",
        params: Place,
        response: { 200: z.object({ redriven: z.int() }), "4xx": Problem },
      },
    },
    async ({ params }) => {
      const read = topicReaders.find(
        ({ topic, mayGiveUp }) => topic.name === params.topic && mayGiveUp.includes(params.group),
      );
      if (read === undefined) throw new ProblemError("not-found", "No such group on that topic");
      return { redriven: await queue.redrive(params.group, read.topic) };
    },
  );
}
