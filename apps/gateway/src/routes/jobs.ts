/**
 * Jobs for an operator: how many there are, which failed for good and why, and giving those all their attempts anew.
 * The same for both stores; the board at /ops/jobs only shows those in Redis.
 *
 * What can go wrong: retrying what fails for the same reason again costs its attempts, no more: each kind rests while
 * what it depends on is down, and what it does carries an idempotency key.
 */
import {
  type JobKindName,
  jobKindNames,
  OpsJobs,
  Problem,
  paymentJobs,
  reconciliationJobs,
  type StoredJob,
  smsJobs,
} from "@plateau/domain";
import type { JobPlace } from "@plateau/hosting/jobs";
import type { FastifyInstance } from "fastify";
import type { Topic } from "queue-core";
import { z } from "zod";
import { ProblemError } from "../edge/problem.ts";
import type { Gateway } from "../gateway.ts";

const listedMaxPerKind = 50;

const places: Readonly<Record<JobKindName, JobPlace<unknown>>> = {
  sms: placeOf("sms", smsJobs),
  payment: placeOf("payment", paymentJobs),
  reconciliation: placeOf("reconciliation", reconciliationJobs),
};

function placeOf<T>(name: JobKindName, topic: Topic<StoredJob<T>>): JobPlace<unknown> {
  return { name, topic: topic as Topic<never> as Topic<StoredJob<unknown>> };
}

/** `ops` asks for the admin token. */
export function jobRoutes(ops: FastifyInstance, { jobs, log }: Gateway): void {
  const asked = <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((error: unknown) => {
      log.warn({ err: error }, "the job store did not answer");
      throw new ProblemError("unavailable", "The job store does not answer", { retryAfterMs: 2_000 });
    });
  ops.get(
    "/ops/jobs",
    {
      schema: {
        tags: ["ops"],
        summary: `Jobs by kind, and up to ${listedMaxPerKind} of each that failed for good`,
        response: { 200: OpsJobs, "4xx": Problem, "5xx": Problem },
      },
    },
    () =>
      asked(
        Promise.all(
          jobKindNames.map(async (kind) => {
            const [counts, failed] = await Promise.all([
              jobs.counts(places[kind]),
              jobs.failed(places[kind], listedMaxPerKind),
            ]);
            return {
              kind,
              ...counts,
              failures: failed.map(({ id, reason, history }) => ({ id, reason, history: [...history] })),
            };
          }),
        ).then((kinds) => ({ kinds })),
      ),
  );
  ops.post<{ Params: { kind: JobKindName } }>(
    "/ops/jobs/:kind/retry",
    {
      schema: {
        tags: ["ops"],
        summary: "Gives the failed jobs of a kind all their attempts anew",
        params: z.object({ kind: z.enum(jobKindNames) }),
        response: { 200: z.object({ retried: z.int() }), "4xx": Problem, "5xx": Problem },
      },
    },
    async ({ params }) => ({ retried: await asked(jobs.retryFailed(places[params.kind])) }),
  );
}
