/**
 * The HTTP server: limits on what a request may be, the error doors, the routes, the pages behind them.
 *
 * What can go wrong: a client that sends slowly, too much, or nothing holds a connection; each has its bound here.
 */
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import fastify, { type FastifyInstance } from "fastify";
import { jsonSchemaTransform, validatorCompiler } from "fastify-type-provider-zod";
import { isLoopback } from "./admission/limits.ts";
import { answerClientError, answerFrameworkError, installErrorDoors, rawProblem } from "./edge/error-doors.ts";
import { installMethodNotAllowed } from "./edge/method-not-allowed.ts";
import { ProblemError, sendProblem } from "./edge/problem.ts";
import { installRequestChecks } from "./edge/request-checks.ts";
import { parseStrictJson } from "./edge/strict-json.ts";
import type { Gateway } from "./gateway.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import { adminCookie } from "./routes/ops-session.ts";
import { probeRoutes } from "./routes/probes.ts";
import { storefrontProxy } from "./routes/storefront.ts";
import { createAdminGuard } from "./session/admin-guard.ts";
import { signInLocalPerson } from "./session/local-person.ts";

const bodyLimitBytes = 16 * 1024;
const headerLimitBytes = 16 * 1024;

/** `routes` adds what stands below `/api`. */
export async function buildServer(gateway: Gateway, routes: (api: FastifyInstance) => void): Promise<FastifyInstance> {
  const { options, timings, log } = gateway;
  const app = fastify({
    bodyLimit: bodyLimitBytes,
    requestTimeout: timings.requestTimeoutMs,
    return503OnClosing: false,
    forceCloseConnections: "idle",
    trustProxy: options.trustedProxies === undefined ? false : [...options.trustedProxies],
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
    http: {
      maxHeaderSize: headerLimitBytes,
      headersTimeout: timings.headersTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, timings.headersTimeoutMs),
      // Checked by us, so that the answer is a problem like every other.
      requireHostHeader: false,
    },
  });
  app.server.on("checkExpectation", (_request, response) => {
    response.socket?.end(rawProblem({ code: "invalid-request", detail: "No such expectation can be met" }));
  });
  app.setValidatorCompiler(validatorCompiler);
  // Schemas of answers are documentation, held by tests; checking each answer would make our slip the client's 500.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.decorateRequest("session", null);
  installErrorDoors(app, log);
  installRequestChecks(app);
  const closeMethods = installMethodNotAllowed(app);
  await app.register(async (root) => probeRoutes(root, gateway));
  await app.register((api) => apiRoutes(api, routes), { prefix: "/api" });
  if (options.jobsUrl !== undefined) {
    // BullMQ and its board are loaded only where there is something to show.
    const { jobBoard } = await import("./routes/job-board.ts");
    const admin = createAdminGuard(options.adminToken, { secureCookies: options.secureCookies === true });
    await jobBoard(app, { url: options.jobsUrl, admin, log });
  }
  closeMethods();
  app.all("/api", { schema: { hide: true } }, (_request, reply) => sendProblem(reply, { code: "not-found" }));
  if (options.storefrontUrl !== undefined) await storefrontProxy(app, options.storefrontUrl, localSignIn(options));
  return app;
}

/** Undefined where nobody is signed in by being here. */
function localSignIn({ signsInLocalPerson, host, trustedProxies = [], secureCookies, adminToken }: GatewayOptions) {
  const isOpenToOthers = !(isLoopback(host) || host === "localhost") || trustedProxies.length > 0;
  if (signsInLocalPerson !== true || isOpenToOthers || secureCookies === true) return undefined;
  return signInLocalPerson(adminCookie(adminToken, { secure: false }));
}

async function apiRoutes(api: FastifyInstance, routes: (api: FastifyInstance) => void): Promise<void> {
  acceptJsonOnly(api);
  api.addHook("onRequest", (_request, reply, done) => {
    reply.raw.setHeader("cache-control", "no-store");
    reply.raw.setHeader("x-content-type-options", "nosniff");
    done();
  });
  await api.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Plateau",
        version: "0.1.0",
        description:
          "A flash sale behind a message queue. Every error is problem+json (RFC 9457) with a stable `code`.",
      },
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer", description: "A session's token, or the admin token" },
        },
      },
      security: [{}, { bearer: [] }],
    },
    transform: jsonSchemaTransform,
  });
  await api.register(swaggerUi, { routePrefix: "/docs" });
  routes(api);
  api.all("/*", { schema: { hide: true } }, (_request, reply) => sendProblem(reply, { code: "not-found" }));
}

function acceptJsonOnly(api: FastifyInstance): void {
  api.removeAllContentTypeParsers();
  api.addContentTypeParser<string>("application/json", { parseAs: "string" }, (_request, text, done) => {
    try {
      done(null, text.length === 0 ? undefined : parseStrictJson(text));
    } catch (error) {
      done(new ProblemError("invalid-request", error instanceof SyntaxError ? error.message : "The body is not JSON"));
    }
  });
}
