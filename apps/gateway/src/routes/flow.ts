/** The way of a purchase in numbers, for everybody: aggregates only. */
import { FlowHistory, FlowSample, Problem } from "@plateau/domain";
import type { FastifyInstance } from "fastify";
import { isLoopback, networkOf } from "../admission/limits.ts";
import type { FlowSampler } from "../flow/flow-samples.ts";
import type { Gateway } from "../gateway.ts";
import type { Broadcast } from "../streams/broadcast.ts";

const tags = ["flow"];

export function flowRoutes(
  app: FastifyInstance,
  { knobs }: Gateway,
  parts: { readonly sampler: FlowSampler; readonly broadcast: Broadcast },
): void {
  app.get(
    "/flow",
    { schema: { tags, summary: "The last second of the way of a purchase", response: { 200: FlowSample } } },
    async () => parts.sampler.latest ?? parts.sampler.sample(),
  );
  app.get(
    "/flow/history",
    { schema: { tags, summary: "The last three minutes, a FlowSample each second", response: { 200: FlowHistory } } },
    async () => ({ samples: parts.sampler.history }),
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
      // One machine may hold many viewers, as tests and load generators do, unless the knob says otherwise.
      const shared = isLoopback(request.ip) && !knobs.get().limitLoopback;
      parts.broadcast.add(request, reply, shared ? `viewer:${request.id}` : `address:${networkOf(request.ip)}`);
    },
  );
}
