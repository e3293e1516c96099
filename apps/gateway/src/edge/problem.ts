/**
 * Every error leaves as problem+json (RFC 9457) with a code of the catalogue.
 *
 * What can go wrong: an error's own text could tell a stranger about our insides; only texts written for clients
 * (`detail`) go out.
 */
import { type ProblemCode, problems } from "@plateau/domain";
import type { FastifyReply } from "fastify";

export interface Refusal {
  readonly code: ProblemCode;
  /** For the client's eyes. */
  readonly detail?: string;
  /** Becomes `Retry-After`, rounded up to whole seconds, at least 1. */
  readonly retryAfterMs?: number;
  /** Further members of the problem, such as the limit that was met. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** The key was sent before, with another body. */
export const keyReused = { code: "key-reused" } as const satisfies Refusal;

export const problemContentType = "application/problem+json; charset=utf-8";

/** Thrown by routes; the error handler turns it into its problem. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly refusal: Refusal;
  constructor(code: ProblemCode, detail?: string, options: Omit<Refusal, "code" | "detail"> = {}) {
    super(detail === undefined ? code : `${code}: ${detail}`);
    this.refusal = { code, ...(detail === undefined ? {} : { detail }), ...options };
  }
}

export function problemBody(refusal: Refusal): string {
  const { status, title } = problems[refusal.code];
  return JSON.stringify({
    type: `/problems/${refusal.code}`,
    title,
    status,
    code: refusal.code,
    ...(refusal.detail === undefined ? {} : { detail: refusal.detail }),
    ...refusal.members,
  });
}

export function sendProblem(reply: FastifyReply, refusal: Refusal): FastifyReply {
  if (refusal.retryAfterMs !== undefined) {
    reply.header("retry-after", Math.max(1, Math.ceil(refusal.retryAfterMs / 1000)));
  }
  return reply.code(problems[refusal.code].status).type(problemContentType).send(problemBody(refusal));
}
