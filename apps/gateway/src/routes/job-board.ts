/**
 * Bull Board for the jobs in Redis, at /ops/jobs: to look at, and nothing else.
 *
 * What can go wrong:
 * - A board that can retry, remove or empty is a way around everything that keeps jobs in order. Every queue is shown in
 *   its read-only mode, and of the board's routes only those that read are there at all.
 * - What jobs carry is not for everybody: each of its pages, files and answers asks for the admin token first.
 * - Its page asks a third party for a font: the policy allows nothing from elsewhere.
 * - Redis does not answer: the board says so, in a problem like every other, and waits for nothing longer than
 *   `answerWithinMs`.
 */
import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { FastifyAdapter } from "@bull-board/fastify";
import { jobKindNames, jobQueuePrefix } from "@plateau/domain";
import { Queue } from "bullmq";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { problemBody, problemContentType, sendProblem } from "../edge/problem.ts";
import type { AdminGuard } from "../session/admin-guard.ts";

const path = "/ops/jobs";
const answerWithinMs = 5_000;
const contentPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; " +
  "form-action 'none'; frame-ancestors 'none'";

export interface JobBoardParts {
  /** Of the Redis that holds the jobs. */
  readonly url: string;
  readonly admin: AdminGuard;
  readonly log: Logger;
}

export async function jobBoard(app: FastifyInstance, { url, admin, log }: JobBoardParts): Promise<void> {
  const queues = jobKindNames.map((name) => {
    const connection = { url, maxRetriesPerRequest: 1, commandTimeout: answerWithinMs };
    const queue = new Queue(name, { connection, prefix: jobQueuePrefix });
    queue.on("error", (error) => log.debug({ err: error }, "the job board's connection to Redis"));
    return queue;
  });
  const adapter = new ReadingAdapter(log);
  adapter.setBasePath(path);
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: "Jobs" } },
  });
  await app.register(async (scope) => {
    // The board answers errors in its own way, so this one is answered before it can be one.
    scope.addHook("onRequest", async (request, reply) => {
      await admin.require(request).catch(() => sendProblem(reply, { code: "unauthenticated" }));
      reply.header("content-security-policy", contentPolicy).header("x-content-type-options", "nosniff");
      reply.header("cache-control", "no-store").header("referrer-policy", "no-referrer");
    });
    // The board knows no 503.
    scope.addHook("onSend", async (_request, reply) => {
      if (reply.statusCode >= 400) reply.type(problemContentType);
      if (reply.statusCode === 500) reply.code(503);
    });
    await scope.register(adapter.registerPlugin(), { prefix: path });
  });
  app.addHook("onClose", async () => {
    await Promise.all(queues.map((queue) => queue.close()));
  });
}

/** Of the board's routes those that read. */
class ReadingAdapter extends FastifyAdapter {
  readonly #log: Logger;

  constructor(log: Logger) {
    super();
    this.#log = log;
  }

  override setApiRoutes(routes: Parameters<FastifyAdapter["setApiRoutes"]>[0]): FastifyAdapter {
    return super.setApiRoutes(routes.filter(({ method }) => [method].flat().every((one) => one === "get")));
  }

  override setErrorHandler(): this {
    return super.setErrorHandler((error) => {
      this.#log.warn({ err: error }, "the job board could not answer");
      const refusal = { code: "unavailable", detail: "The job store does not answer" } as const;
      return { status: 500, body: JSON.parse(problemBody(refusal)) };
    });
  }
}
