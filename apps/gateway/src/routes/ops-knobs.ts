/** Settings that act at once. */
import { Knobs, KnobsPatch, Problem } from "@plateau/domain";
import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import { ProblemError } from "../edge/problem.ts";
import type { ProviderOrders } from "../faults/provider-orders.ts";
import type { Marks, NewMark } from "../flow/marks.ts";
import type { Gateway } from "../gateway.ts";
import { workersAreProcesses } from "./ops-numbers.ts";

const tags = ["ops"];

export function knobRoutes(
  ops: FastifyInstance,
  { knobs, options, queue }: Gateway,
  { marks, providerOrders }: { readonly marks: Marks; readonly providerOrders: ProviderOrders },
): void {
  ops.get("/ops/knobs", { schema: { tags, summary: "Settings", response: { 200: Knobs } } }, async () => knobs.get());
  ops.patch<{ Body: z.infer<typeof KnobsPatch> }>(
    "/ops/knobs",
    {
      schema: {
        tags,
        summary: "Change settings; they act at once",
        body: KnobsPatch,
        response: { 200: Knobs, "4xx": Problem },
      },
    },
    async ({ body }) => {
      if (body.workers !== undefined && options.company === "beside-others") {
        throw new ProblemError("invalid-request", `workers: ${workersAreProcesses}`);
      }
      const before = knobs.get();
      const after = await knobs.patch(body);
      for (const mark of turned(before, after)) marks.add(mark);
      // Where the outside world does not answer now, it is told within seconds.
      await providerOrders.lookAgain(queue.now()).catch(() => undefined);
      return after;
    },
  );
}

function turned(before: Knobs, after: Knobs): NewMark[] {
  const names = Object.keys(after) as (keyof Knobs)[];
  return names
    .filter((name) => after[name] !== before[name])
    .map((name) => ({
      kind: "knob",
      what: name,
      detail: { from: before[name], to: after[name] },
      by: "control room",
    }));
}
