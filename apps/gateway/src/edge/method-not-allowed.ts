/** Answers 405 with `Allow` for each known path and each method that it does not have. */
import type { FastifyInstance, HTTPMethods } from "fastify";
import { sendProblem } from "./problem.ts";

const methods: readonly HTTPMethods[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];

/**
 * Call on the root before any route; returns what to call after the last. Paths that end in a wildcard or a
 * slash are left alone. It answers before the body is looked at.
 */
export function installMethodNotAllowed(root: FastifyInstance): () => void {
  const allowed = new Map<string, Set<string>>();
  let watching = true;
  root.addHook("onRoute", ({ url, method }) => {
    if (!watching || url.endsWith("*") || url.endsWith("/")) return;
    const known = allowed.get(url) ?? new Set();
    for (const one of [method].flat()) known.add(one);
    allowed.set(url, known);
  });
  return () => {
    watching = false;
    for (const [url, known] of allowed) {
      const missing = methods.filter((method) => !known.has(method));
      if (missing.length === 0) continue;
      const allow = [...known].sort().join(", ");
      root.route({
        url,
        method: missing,
        exposeHeadRoute: false,
        schema: { hide: true },
        onRequest: async (_request, reply) => sendProblem(reply.header("allow", allow), { code: "method-not-allowed" }),
        handler: (_request, reply) => reply,
      });
    }
  };
}
