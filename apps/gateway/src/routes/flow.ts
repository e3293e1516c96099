/** The way of a purchase in numbers, for everybody: aggregates only. */
import { FlowSample, Problem } from "@plateau/domain";
import type { FastifyInstance } from "fastify";
import type { FlowSampler } from "../flow/flow-samples.ts";
import type { Broadcast } from "../streams/broadcast.ts";

const tags = ["flow"];

export function flowRoutes(
  app: FastifyInstance,
  parts: { readonly sampler: FlowSampler; readonly broadcast: Broadcast },
): void {
  app.get(
    "/flow",
    { schema: { tags, summary: "The last second of the way of a purchase", response: { 200: FlowSample } } },
    async () => parts.sampler.latest ?? parts.sampler.sample(),
  );
  app.get(
    "/flow/events",
    {
      exposeHeadRoute: false,
      schema: {
        tags,
        summary: "A FlowSample each second, as server-sent events named `flow`",
        produces: ["text/event-stream"],
        response: { "4xx": Problem },
      },
    },
    async (request, reply) => {
      parts.broadcast.add(request, reply, `address:${request.ip}`);
    },
  );
}
