/**
 * `GET /ops/audit`: the invariants as they stand now. `POST /ops/audit` adds what a driver's clients were told, as
 * JSON lines, so that the answers they heard are held against the log too.
 */
import { AuditReport, type HistoryEntry, Problem, parseHistory, stockKeys } from "@plateau/domain";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { ProblemError } from "../edge/problem.ts";
import type { Gateway } from "../gateway.ts";
import type { AdminGuard } from "../session/admin-guard.ts";
import { SystemAudit } from "./system-audit.ts";

const Scope = z.strictObject({
  /** One sale; without it all of them. */
  saleId: z.string().min(1).max(60).optional(),
});

/** Some 300,000 lines. */
const historyBytesMax = 64 * 1024 * 1024;
const response = { 200: AuditReport, "4xx": Problem };

export function auditRoutes(
  instance: FastifyInstance,
  parts: { readonly gateway: Gateway; readonly admin: AdminGuard },
): void {
  const { gateway, admin } = parts;
  const { queue, db, options } = gateway;
  const systemAudit = new SystemAudit({ queue, db, sandboxUrl: options.sandboxUrl, jobs: gateway.jobs });

  async function report(saleId: string | undefined, history?: readonly HistoryEntry[]) {
    if (saleId !== undefined && (await gateway.stockState.get(saleId, stockKeys.sale(saleId))) === undefined) {
      throw new ProblemError("not-found", "No such sale");
    }
    return systemAudit.run({ saleId, history });
  }

  instance.register(async (scope) => {
    const app = scope.withTypeProvider<ZodTypeProvider>();
    app.addHook("onRequest", (request) => admin.require(request));
    app.addContentTypeParser(
      "application/x-ndjson",
      { parseAs: "string", bodyLimit: historyBytesMax },
      async (_request: unknown, body: string) => body,
    );
    app.get(
      "/ops/audit",
      {
        schema: {
          tags: ["ops"],
          summary: "The invariants, a verdict and the evidence for each",
          querystring: Scope,
          response,
        },
      },
      ({ query }) => report(query.saleId),
    );
    app.post(
      "/ops/audit",
      {
        bodyLimit: historyBytesMax,
        schema: {
          tags: ["ops"],
          summary: "The same, held against what clients were told",
          consumes: ["application/x-ndjson"],
          querystring: Scope,
          response,
        },
      },
      ({ query, body }) => report(query.saleId, historyOf(body)),
    );
  });
}

/** Throws invalid-request where it is no history. */
function historyOf(body: unknown): HistoryEntry[] {
  if (typeof body !== "string") throw new ProblemError("unsupported-media-type", "Send application/x-ndjson");
  try {
    return parseHistory(body);
  } catch (error) {
    throw new ProblemError("invalid-request", error instanceof Error ? error.message : String(error));
  }
}
