/**
 * What is asked of every request before anything else looks at it.
 *
 * What can go wrong: two Host headers let two servers see two sites; a page of another origin that sends the
 * shopper's cookie along acts in the shopper's name. The first is refused and the connection closed; the second is
 * refused wherever the browser says where it comes from.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { sendProblem } from "./problem.ts";

export function installRequestChecks(app: FastifyInstance): void {
  app.addHook("onRequest", (request, reply, done) => {
    const hosts = countHosts(request.raw.rawHeaders);
    if (hosts !== 1 && !(hosts === 0 && request.raw.httpVersion === "1.0")) {
      reply.header("connection", "close");
      sendProblem(reply, { code: "invalid-request", detail: "Send exactly one Host header" });
      return;
    }
    if (isUnsafe(request.method) && comesFromElsewhere(request)) {
      sendProblem(reply, { code: "forbidden", detail: "This page may not act here" });
      return;
    }
    done();
  });
}

function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name !== undefined && name.length === 4 && name.toLowerCase() === "host") hosts++;
  }
  return hosts;
}

const isUnsafe = (method: string): boolean => method !== "GET" && method !== "HEAD" && method !== "OPTIONS";

function comesFromElsewhere({ headers, host }: FastifyRequest): boolean {
  const { origin } = headers;
  if (origin === undefined) return headers["sec-fetch-site"] === "cross-site";
  return hostOfOrigin(origin) !== host;
}

function hostOfOrigin(origin: string): string | undefined {
  const at = origin.indexOf("://");
  return at === -1 ? undefined : origin.slice(at + 3);
}
