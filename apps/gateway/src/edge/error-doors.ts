/**
 * The four doors through which Fastify lets errors out: handler errors, unknown paths, framework errors, and
 * requests so broken that no handler sees them. All answer problem+json.
 *
 * What can go wrong: a client error that reaches the last line of `refusalOf` would be a 500; every status that the
 * framework can raise for a request is therefore mapped, and anything below 500 becomes a 400 at worst.
 */
import type { Socket } from "node:net";
import { type ProblemCode, problems } from "@plateau/domain";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { QueueError } from "queue-core";
import { isDatabaseDown } from "./database-down.ts";
import { ProblemError, problemBody, problemContentType, type Refusal, sendProblem } from "./problem.ts";

const codeOfStatus: Readonly<Record<number, ProblemCode>> = {
  401: "unauthenticated",
  403: "forbidden",
  404: "not-found",
  405: "method-not-allowed",
  408: "request-timeout",
  413: "body-too-large",
  415: "unsupported-media-type",
  429: "throttled",
  431: "headers-too-large",
};

const codeOfSocketError: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: "headers-too-large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "body-too-large",
  ERR_HTTP_REQUEST_TIMEOUT: "request-timeout",
};

export function installErrorDoors(app: FastifyInstance, log: Logger): void {
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalOf(error);
    if (refusal === undefined) log.error({ err: error, route: request.routeOptions.url }, "a handler failed");
    return sendProblem(reply, refusal ?? { code: "internal-error" });
  });
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, { code: "not-found" }));
}

/** Fastify's `frameworkErrors`: the URL itself could not be read, so nobody's handler was chosen. */
export function answerFrameworkError(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(reply, refusalOf(error) ?? { code: "invalid-request" });
}

function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof ProblemError) return error.refusal;
  if (error instanceof QueueError) return refusalOfQueue(error);
  if (!(error instanceof Error)) return undefined;
  const { statusCode, validation } = error as FastifyError;
  if (validation !== undefined) return { code: "invalid-request", detail: validationDetail(validation) };
  if (isDatabaseDown(error))
    return { code: "unavailable", detail: "The database does not answer", retryAfterMs: 2_000 };
  if (statusCode === undefined || statusCode >= 500) return undefined;
  const problem = codeOfStatus[statusCode] ?? "invalid-request";
  return problem === "invalid-request" ? { code: problem, detail: error.message } : { code: problem };
}

function refusalOfQueue(error: QueueError): Refusal {
  const retryAfterMs = error.retryAfterMs ?? 2_000;
  return error.code === "OVERLOADED"
    ? { code: "overloaded", retryAfterMs }
    : { code: "unavailable", detail: "The queue does not answer", retryAfterMs };
}

function validationDetail(validation: NonNullable<FastifyError["validation"]>): string {
  return validation
    .slice(0, 5)
    .map(
      ({ instancePath, message }) =>
        `${instancePath === "" ? "body" : instancePath.slice(0, 100)}: ${message ?? "does not fit"}`,
    )
    .join("; ")
    .slice(0, 500);
}

/** A request that the HTTP parser gave up on: answer in one write, then close. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable || answerHasBegun(socket)) {
    socket.destroy();
    return;
  }
  socket.end(rawProblem({ code: codeOfSocketError[error.code ?? ""] ?? "invalid-request" }));
}

/** A whole HTTP/1.1 response that closes the connection. */
export function rawProblem(refusal: Refusal): string {
  const body = problemBody(refusal);
  const { status, title } = problems[refusal.code];
  return [
    `HTTP/1.1 ${status} ${title}`,
    `Content-Type: ${problemContentType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
    "",
    body,
  ].join("\r\n");
}

function answerHasBegun(socket: Socket): boolean {
  const { _httpMessage: answer } = socket as Socket & { _httpMessage?: { headersSent?: boolean } | null };
  return answer?.headersSent === true;
}
