/** Faults by order. */
import { randomBytes, randomInt } from "node:crypto";
import { PoisonBody, Problem, ReplyFaults } from "@plateau/domain";
import type { FastifyInstance, FastifyReply } from "fastify";
import { z } from "zod";
import { ProblemError } from "../edge/problem.ts";
import type { Gateway } from "../gateway.ts";

const tags = ["ops"];

/** The outside world's faults are the sandbox's own; orders are passed on and its answer passed back. */
export function faultRoutes(ops: FastifyInstance, { options }: Gateway): void {
  const pass = async (path: string, init: RequestInit, reply: FastifyReply) => {
    if (options.sandboxUrl === undefined) throw new ProblemError("not-found", "No sandbox is attached");
    const answer = await fetch(`${options.sandboxUrl}${path}`, { ...init, signal: AbortSignal.timeout(5_000) }).catch(
      () => undefined,
    );
    if (answer === undefined)
      throw new ProblemError("unavailable", "The sandbox does not answer", { retryAfterMs: 2_000 });
    if (answer.status === 400) throw new ProblemError("invalid-request", "The sandbox knows no such fault");
    if (!answer.ok) throw new ProblemError("unavailable", "The sandbox failed", { retryAfterMs: 2_000 });
    return reply.send(await answer.json());
  };
  ops.get("/ops/faults", { schema: { tags, summary: "Faults of the outside world" } }, async (_request, reply) =>
    pass("/faults", {}, reply),
  );
  ops.put<{ Params: { service: "payments" | "sms" | "risk" } }>(
    "/ops/faults/:service",
    {
      schema: {
        tags,
        summary: "Order latency, failures and rate limits; what is not named is as usual again",
        params: z.object({ service: z.enum(["payments", "sms", "risk"]) }),
        body: z.record(z.string(), z.number()),
      },
    },
    async (request, reply) =>
      pass(
        `/faults/${request.params.service}`,
        { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(request.body) },
        reply,
      ),
  );
}

/** Of the way between the stages and the gateways, and in what the stages are given to read. */
export function queueFaultRoutes(ops: FastifyInstance, { queue, replyFaults }: Gateway): void {
  ops.put(
    "/ops/faults/replies",
    {
      schema: {
        tags,
        summary: "Lose or delay replies to the gateways; what is not named is as usual again",
        body: ReplyFaults.partial(),
        response: { 200: ReplyFaults, "4xx": Problem },
      },
    },
    ({ body }) => replyFaults.order(body),
  );
  ops.post<{ Body: z.infer<typeof PoisonBody> }>(
    "/ops/faults/poison",
    {
      schema: {
        tags,
        summary: "Put a message that nobody can read into a topic; it ends among the topic's dead letters",
        body: PoisonBody,
        response: { 201: PoisonBody.extend({ partition: z.int(), offset: z.int() }), "4xx": Problem },
      },
    },
    async ({ body: { topic } }, reply) => {
      const partition = randomInt(queue.engine.topic(topic)?.partitions ?? 1);
      const poison = {
        topic,
        partition,
        key: `poison-${randomBytes(4).toString("hex")}`,
        value: Buffer.from("\u0000{"),
      };
      const { offsets } = await queue.engine.commit({ append: [poison] });
      return reply.code(201).send({ topic, partition, offset: offsets[0] as number });
    },
  );
}
