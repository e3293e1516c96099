/**
 * The experiment of lesson 01 from the control room: four ways to serve one endpoint on the same load.
 *
 * What can go wrong: two start it at once, or somebody starts it while it runs. It runs outside of the gateways, once
 * for all of them, and the second is told 429 with the time that is left. Its load is fixed, and nothing of it reaches the shop's tables, topics
 * or providers; what it takes is processor time, so it runs at a lower priority.
 */
import { FourWaysBody, FourWaysReport, Problem } from "@plateau/domain";
import type { FastifyInstance } from "fastify";
import { ProblemError } from "../edge/problem.ts";
import type { Gateway } from "../gateway.ts";

const tags = ["ops"];
const response = { 200: FourWaysReport, "4xx": Problem };
const answerWithinMs = 5_000;
/** An experiment that is told to stop lets go of its tables first. */
const stopWithinMs = 15_000;

interface Answer {
  readonly status: number;
  readonly report: FourWaysReport;
}

/** `ops` asks for the admin token. */
export function fourWaysRoutes(ops: FastifyInstance, { options }: Gateway): void {
  const ask = (method: "GET" | "POST" | "DELETE", body?: FourWaysBody): Promise<Answer> => {
    if (options.fourWaysUrl === undefined) throw new ProblemError("not-found", "No laboratory is attached");
    return askDesk(options.fourWaysUrl, { method, ...(method === "POST" ? { body: JSON.stringify(body ?? {}) } : {}) });
  };
  ops.get(
    "/ops/four-ways",
    { schema: { tags, summary: "The four ways: what runs, the curves so far, and what came out", response } },
    async () => (await ask("GET")).report,
  );
  ops.post<{ Body: FourWaysBody }>(
    "/ops/four-ways",
    {
      schema: {
        tags,
        summary: "Start the four ways: about 75 s, one at a time",
        body: FourWaysBody,
        response: { 202: FourWaysReport, "4xx": Problem },
      },
    },
    async (request, reply) => {
      const { status, report } = await ask("POST", request.body);
      if (status === 409) throw busy(report);
      return reply.code(202).send(report);
    },
  );
  ops.delete(
    "/ops/four-ways",
    { schema: { tags, summary: "Stop the four ways; answered once nothing of them is left", response } },
    async () => (await ask("DELETE")).report,
  );
}

const busy = ({ remainingMs }: FourWaysReport): ProblemError =>
  new ProblemError("throttled", "The four ways run already", {
    retryAfterMs: remainingMs ?? 1_000,
    members: { limit: "four-ways" },
  });

/** What the desk says is passed on; a desk that says nothing is unavailable. */
async function askDesk(url: string, call: RequestInit): Promise<Answer> {
  const withinMs = call.method === "DELETE" ? stopWithinMs : answerWithinMs;
  const answer = await fetch(url, { ...call, signal: AbortSignal.timeout(withinMs) }).catch(() => undefined);
  if (answer === undefined || (!answer.ok && answer.status !== 409)) {
    throw new ProblemError("unavailable", "The laboratory does not answer", { retryAfterMs: 2_000 });
  }
  return { status: answer.status, report: FourWaysReport.parse(await answer.json()) };
}
