/**
 * Dead letters in the control room: how many each group has, what they are, and sending them down their way again.
 *
 * What can go wrong: a group may have given up on very many, so counts and lists are bounded; a message that waited
 * for its time and could never be moved (group `$delay`) belongs to no group that could take it, so it is only
 * counted.
 */
import {
  admissions,
  groups,
  orders,
  Problem,
  paymentJobs,
  paymentRequests,
  purchaseRequests,
  reconciliationJobs,
  reservations,
  results,
  smsJobs,
  stockCommands,
} from "@plateau/domain";
import type { FastifyInstance } from "fastify";
import { deadLetterNamespace, type Queue, type Topic } from "queue-core";
import { z } from "zod";
import { ProblemError } from "../edge/problem.ts";
import type { Gateway } from "../gateway.ts";

/** A group with more is told to have this many. */
const countedMax = 10_000;
const listedMaxPerGroup = 50;
const delayed = "$delay";

/** Who may give up on what. The order group also sends half messages to `orders`. */
const readers: readonly { readonly topic: Topic<unknown>; readonly groups: readonly string[] }[] = [
  reader(purchaseRequests, groups.risk),
  reader(stockCommands, groups.stock),
  reader(results, groups.stats),
  reader(reservations, groups.order, groups.payment, groups.stats),
  reader(orders, groups.order, groups.sms),
  reader(paymentRequests, groups.payment),
  reader(admissions, groups.stats),
  reader(smsJobs, groups.sms),
  reader(paymentJobs, groups.payment),
  reader(reconciliationJobs, groups.reconciliation),
];

function reader<T>(topic: Topic<T>, ...names: string[]): { topic: Topic<unknown>; groups: readonly string[] } {
  return { topic: topic as Topic<never> as Topic<unknown>, groups: names };
}

export interface DeadLetterCount {
  readonly group: string;
  readonly topic: string;
  readonly count: number;
}

/** Those kept now, for every group and topic, also where there are none. */
export function countDeadLetters({ engine }: Queue): Promise<DeadLetterCount[]> {
  return Promise.all(
    readers.flatMap(({ topic, groups: names }) =>
      [...names, delayed].map(async (group) => {
        const kept = await engine.scanState(deadLetterNamespace(group, topic.name), { limit: countedMax });
        return { group, topic: topic.name, count: kept.length };
      }),
    ),
  );
}

const Place = z.object({ group: z.string().max(60), topic: z.string().max(60) });

/** `ops` asks for the admin token. */
export function deadLetterRoutes(ops: FastifyInstance, { queue }: Gateway): void {
  ops.get(
    "/ops/dead-letters",
    { schema: { tags: ["ops"], summary: `What groups gave up on, up to ${listedMaxPerGroup} of each` } },
    async () => {
      const lists = readers.flatMap(({ topic, groups: names }) =>
        names.map((group) => queue.deadLetters(group, topic, listedMaxPerGroup)),
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
      const read = readers.find(
        ({ topic, groups: names }) => topic.name === params.topic && names.includes(params.group),
      );
      if (read === undefined) throw new ProblemError("not-found", "No such group on that topic");
      return { redriven: await queue.redrive(params.group, read.topic) };
    },
  );
}
