/**
 * Every path that is no API's belongs to the pages: one origin for the browser.
 *
 * What can go wrong: pages that are down or starting. They answer 503 as a problem; the API does not notice.
 */
import proxy from "@fastify/http-proxy";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { sendProblem } from "../edge/problem.ts";

const starting = { code: "unavailable", detail: "The pages are not there yet", retryAfterMs: 2_000 } as const;

/** `preHandler` sees each request for a page before it is passed on. */
export async function storefrontProxy(
  app: FastifyInstance,
  storefrontUrl: string,
  preHandler?: (request: FastifyRequest, reply: FastifyReply) => Promise<void>,
): Promise<void> {
  await app.register(proxy, {
    upstream: storefrontUrl,
    prefix: "/",
    disableRequestLogging: true,
    ...(preHandler === undefined ? {} : { preHandler }),
    undici: { connections: 128, pipelining: 1 },
    replyOptions: {
      rewriteRequestHeaders: (request, headers) => ({
        ...headers,
        "x-forwarded-host": request.headers.host,
        "x-forwarded-proto": request.protocol,
        "x-forwarded-for": request.ip,
      }),
      onError: (reply) => {
        sendProblem(reply as unknown as FastifyReply, starting);
      },
    },
  });
}
