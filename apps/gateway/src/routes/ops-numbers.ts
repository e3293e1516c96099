/** What the control room shows of the flow: now, each second, and over the last hour. */
import { ControlHistory, ControlHistoryQuery, ControlRoom } from "@plateau/domain";
import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import type { ControlRoomWatch } from "../flow/control-room-watch.ts";
import type { FlowSampler } from "../flow/flow-samples.ts";
import type { Gateway } from "../gateway.ts";
import { countDeadLetters } from "./dead-letters.ts";

const tags = ["ops"];

export interface NumberParts {
  readonly sampler: FlowSampler;
  readonly watch: ControlRoomWatch;
}

export function numberRoutes(ops: FastifyInstance, gateway: Gateway, { sampler, watch }: NumberParts): void {
  roomRoute(ops, gateway);
  ops.get("/ops/statistics", { schema: { tags, summary: "Numbers of this gateway and its engine" } }, async () => ({
    gatewayId: gateway.id,
    atMs: gateway.queue.now(),
    totals: {
      arrivals: gateway.meter.totals.arrivals,
      admitted: gateway.meter.totals.admitted,
      refused: Object.fromEntries(gateway.meter.totals.refused),
      outcomes: Object.fromEntries(gateway.meter.totals.outcomes),
    },
    flow: sampler.latest ?? (await sampler.sample()),
    pending: gateway.pending.size,
    replies: gateway.requester.statistics(),
    streams: gateway.streams.statistics,
    deadLetters: await countDeadLetters(gateway.queue),
    engine: { name: gateway.queue.engine.name, ...gateway.queue.engine.statistics() },
    memory: process.memoryUsage(),
  }));
  ops.get(
    "/ops/stream",
    {
      exposeHeadRoute: false,
      schema: {
        tags,
        summary: "Server-sent events: `second` (a ControlSecond) each second, `marks` (an array of Mark) as they come",
        produces: ["text/event-stream"],
      },
    },
    async (request, reply) => watch.view(request, reply),
  );
  ops.get<{ Querystring: z.infer<typeof ControlHistoryQuery> }>(
    "/ops/history",
    {
      schema: {
        tags,
        summary: "The newest seconds, 3,600 at most, by columns, with the marks of that time",
        querystring: ControlHistoryQuery,
        response: { 200: ControlHistory },
      },
    },
    async ({ query }) => watch.history(query.seconds),
  );
}

function roomRoute(ops: FastifyInstance, { id, options }: Gateway): void {
  const profile = options.company === "beside-others" ? "processes" : "embedded";
  ops.get(
    "/ops/room",
    {
      schema: {
        tags,
        summary: "What this system is, as far as its control room has to know",
        response: { 200: ControlRoom },
      },
    },
    async (): Promise<ControlRoom> => ({
      gatewayId: id,
      profile,
      fixedKnobs: profile === "embedded" ? {} : { workers: workersAreProcesses },
      storageRisks: (await (options.storageRisks?.() ?? [])).map(
        ({ setting, found, recommended, risk }) => `${setting} is ${found}, recommended ${recommended}: ${risk}`,
      ),
    }),
  );
}

export const workersAreProcesses = "Here every worker is a process: start or stop processes to change their number";
