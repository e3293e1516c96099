/**
 * The outside world in a box: a payment provider, an SMS provider and a risk scorer over HTTP, with the rate limits,
 * latency, failures and idempotency keys that real ones have.
 *
 * Promises, also over `kill -9`: one authorisation and one message per idempotency key; same key, same answer; same
 * key with another body is 422; an authorisation ends captured or voided, never both.
 */
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from "fastify";
import { guardWith, parse } from "./edge.ts";
import { FaultsOrder, ProviderGate, type Service, services } from "./faults.ts";
import { openLedger } from "./ledger.ts";
import { servePayments } from "./payments.ts";
import { internalError, notFound, Problem } from "./problem.ts";
import { serveRisk } from "./risk.ts";
import { serveSms } from "./sms.ts";

export interface SandboxOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: one that is free. */
  readonly port?: number;
  /** Where it keeps what it promised; made if missing. */
  readonly dataDir: string;
}

export interface Sandbox {
  readonly url: string;
  stop(): Promise<void>;
}

/** Rejects where the port is taken or the folder cannot be written. */
export async function startSandbox({ host = "127.0.0.1", port = 0, dataDir }: SandboxOptions): Promise<Sandbox> {
  const ledger = openLedger(dataDir);
  const app = newApp();
  const nowMs = (): number => performance.now();
  const gates = Object.fromEntries(services.map((service) => [service, new ProviderGate(service, nowMs)])) as Record<
    Service,
    ProviderGate
  >;
  servePayments(app, ledger, guardWith(gates.payments));
  serveSms(app, ledger, guardWith(gates.sms));
  serveRisk(app, guardWith(gates.risk));
  serveFaults(app, gates);
  app.get("/healthz", async () => ({ status: "ok" }));
  app.addHook("onClose", async () => ledger.close());
  try {
    return { url: await app.listen({ host, port }), stop: () => app.close() };
  } catch (error) {
    await app.close();
    throw error;
  }
}

function serveFaults(app: FastifyInstance, gates: Record<Service, ProviderGate>): void {
  app.get("/faults", async () => Object.fromEntries(services.map((service) => [service, gates[service].faults])));
  app.put<{ Params: { service: string } }>("/faults/:service", async (request) => {
    const service = services.find((name) => name === request.params.service);
    if (service === undefined) throw notFound();
    return gates[service].order(parse(FaultsOrder, request.body));
  });
}

function newApp(): FastifyInstance {
  const app = Fastify({
    bodyLimit: 4 * 1024 * 1024,
    forceCloseConnections: true,
    // Callers keep idle connections for as long as they are told; one that is dead is found out by a lost call.
    keepAliveTimeout: 5_000,
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (error, _request, reply) => {
      send(reply, new Problem(error.statusCode ?? 400, "invalid-request", error.message));
    },
  });
  // A body that is not there, as capture and void have none, may still be announced as JSON.
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (_request, text, done) => {
    if (text === "") return done(null, undefined);
    try {
      done(null, JSON.parse(text));
    } catch {
      done(new Problem(400, "invalid-request", "the body is no JSON"));
    }
  });
  app.setNotFoundHandler((_request, reply) => send(reply, notFound()));
  app.setErrorHandler((error: FastifyError | Problem, _request, reply) => {
    if (error instanceof Problem) return send(reply, error);
    const status = error.statusCode ?? 500;
    if (status < 500) return send(reply, new Problem(status, "invalid-request", error.message));
    console.error(error);
    return send(reply, internalError());
  });
  return app;
}

function send(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.retryAfterSeconds !== undefined) reply.header("retry-after", String(problem.retryAfterSeconds));
  return reply.code(problem.status).type("application/problem+json").send(JSON.stringify(problem.body));
}
