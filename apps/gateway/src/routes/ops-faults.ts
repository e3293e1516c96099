/** Faults by order: each with its own body, its state for an answer, and an end of its own. */
import {
  type FaultId,
  type FaultOrder,
  FaultOrders,
  FaultState,
  FaultStates,
  faultIds,
  PoisonBody,
  Problem,
} from "@plateau/domain";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { type FaultCatalogue, putPoison } from "../faults/fault-catalogue.ts";
import type { Gateway } from "../gateway.ts";

const tags = ["ops"];
const controlRoom = "control room";

const summaries: Readonly<Record<FaultId, string>> = {
  "kill-worker": "A worker stops without giving its leases back; a replacement comes after the seconds",
  "pause-group": "A consumer group takes nothing",
  "deliver-twice": "A consumer group is handed what it handled once more",
  poison: "A message that nobody can read; it ends among the dead letters",
  "slow-database": "Every query of gateways and consumers goes out later",
  replies: "Replies to the gateways get lost or come late",
  payments: "The payment provider is slow, fails or limits its rate",
  sms: "The SMS provider is slow, fails or limits its rate",
  risk: "The risk scorer is slow, fails or limits its rate",
};

export function faultRoutes(ops: FastifyInstance, { queue }: Gateway, catalogue: FaultCatalogue): void {
  ops.get(
    "/ops/faults",
    { schema: { tags, summary: "All faults with their state", response: { 200: FaultStates } } },
    async () => ({ faults: await catalogue.states() }),
  );
  for (const id of faultIds) faultRoute(ops, catalogue, id);
  ops.post<{ Body: z.infer<typeof PoisonBody> }>(
    "/ops/faults/poison",
    {
      schema: {
        tags,
        summary: "The same, with its place for an answer",
        body: PoisonBody,
        response: { 201: PoisonBody.extend({ partition: z.int(), offset: z.int() }), "4xx": Problem },
      },
    },
    async ({ body: { topic } }, reply) => reply.code(201).send({ topic, ...(await putPoison(queue, topic)) }),
  );
}

function faultRoute<Id extends FaultId>(ops: FastifyInstance, catalogue: FaultCatalogue, id: Id): void {
  ops.put<{ Body: FaultOrder<Id> }>(
    `/ops/faults/${id}`,
    {
      schema: {
        tags,
        summary: summaries[id],
        body: FaultOrders[id],
        response: { 200: FaultState, "4xx": Problem },
      },
    },
    ({ body }) => catalogue.begin(id, body as FaultOrder<Id>, controlRoom),
  );
  ops.delete(
    `/ops/faults/${id}`,
    { schema: { tags, summary: "Ends it before its time", response: { 200: FaultState, "4xx": Problem } } },
    () => catalogue.end(id),
  );
}
