/** The built-in spike generator, for a machine that has no other: one spike at a time, on a sale of its own. */
import { Problem, SpikeBody, SpikeStatus, Spikes as SpikesAnswer, spikeScenarios } from "@plateau/domain";
import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import { ProblemError } from "../edge/problem.ts";
import type { Gateway } from "../gateway.ts";
import { planOf } from "../spikes/scenarios.ts";
import type { SpikeRunner } from "../spikes/spike-runner.ts";
import type { Spikes } from "../spikes/spikes.ts";

const tags = ["ops"];
const unavailable = "Spikes are played by the back end of the demo alone: here, use npm run load -- spike";

export function spikeRoutes(ops: FastifyInstance, { knobs, options }: Gateway, spikes: Spikes): void {
  const runner = (): SpikeRunner => {
    if (spikes.runner === undefined) throw new ProblemError("not-found", unavailable);
    return spikes.runner;
  };
  ops.get(
    "/ops/spikes",
    {
      schema: {
        tags,
        summary: "The scenarios, and the spike that plays or played last",
        response: { 200: SpikesAnswer },
      },
    },
    async (): Promise<SpikesAnswer> => ({
      unavailable: options.spikePlayer === undefined ? unavailable : null,
      scenarios: spikeScenarios.map((scenario) => {
        const { id, stock, offeredPerSecond, capacityPerSecond, seconds } = planOf(scenario, knobs.get());
        return { id, stock, offeredPerSecond, capacityPerSecond, seconds };
      }),
      current: spikes.runner?.status ?? null,
    }),
  );
  ops.post<{ Body: z.infer<typeof SpikeBody> }>(
    "/ops/spikes",
    {
      schema: {
        tags,
        summary: "Begins one; 409 while another plays",
        body: SpikeBody,
        response: { 202: SpikeStatus, "4xx": Problem },
      },
    },
    async ({ body }, reply) => reply.code(202).send(runner().begin(body.scenario)),
  );
  ops.delete(
    "/ops/spikes",
    {
      schema: {
        tags,
        summary: "Stops the one that plays; the settings are as before when it answers",
        response: { 200: SpikeStatus.nullable(), "4xx": Problem },
      },
    },
    async (_request, reply) => reply.code(200).send(await runner().end()),
  );
}
