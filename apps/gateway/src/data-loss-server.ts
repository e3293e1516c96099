/**
 * What a gateway is while Redis lacks what it acknowledged: it says so, sells nothing, and takes an operator's word.
 *
 * What can go wrong: a load balancer or a person meets a port that is closed, and learns nothing. So the port is open:
 * `/healthz` is well, `/readyz` and everything else are a 503 that says why. With the admin token
 * `POST /api/ops/data-loss/acceptance` takes the data as they are; until then nothing is changed anywhere.
 */
import fastify, { type FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { answerClientError, answerFrameworkError, installErrorDoors } from "./edge/error-doors.ts";
import { sendProblem } from "./edge/problem.ts";
import { createAdminGuard } from "./session/admin-guard.ts";

export const acceptancePath = "/api/ops/data-loss/acceptance";

export interface DataLossServerOptions {
  readonly host: string;
  readonly port: number;
  readonly adminToken: string;
  readonly secureCookies: boolean;
  /** One sentence. */
  readonly reason: string;
  readonly log: Logger;
  /** Takes the data as they are. */
  accept(): Promise<void>;
}

const retryAfterMs = 10_000;

/** Resolves when the port is open. */
export async function startDataLossServer(
  options: DataLossServerOptions,
): Promise<{ url: string; stop(): Promise<void> }> {
  const app = fastify({
    bodyLimit: 1_024,
    requestTimeout: 10_000,
    forceCloseConnections: true,
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
  });
  installErrorDoors(app, options.log);
  addRoutes(app, options);
  const url = await app.listen({ host: options.host, port: options.port });
  return { url, stop: () => app.close() };
}

function addRoutes(app: FastifyInstance, options: DataLossServerOptions): void {
  const { adminToken, secureCookies, reason, log, accept } = options;
  const detail = `${reason}. Nothing is sold until an operator accepts the loss`;
  const refusal = { code: "unavailable", detail, retryAfterMs, members: { checks: { engine: "data-lost" } } } as const;
  const admin = createAdminGuard(adminToken, { secureCookies });
  app.get("/healthz", async () => ({ status: "alive" }));
  app.post(acceptancePath, { onRequest: admin.require }, async () => {
    log.error("an operator accepts the loss of data");
    await accept();
    return { accepted: true };
  });
  app.all("/*", (_request, reply) => sendProblem(reply, refusal));
}
