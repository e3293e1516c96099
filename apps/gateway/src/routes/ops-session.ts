/** The admin token, for a cookie that scripts cannot read. */
import { Problem } from "@plateau/domain";
import { stringifySetCookie } from "cookie";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { ProblemError } from "../edge/problem.ts";
import type { Gateway } from "../gateway.ts";
import { type AdminGuard, adminCookieName } from "../session/admin-guard.ts";

const tags = ["ops"];
const AdminSessionBody = z.strictObject({ token: z.string().max(200) });

/** So that the control room's page needs to keep no token where scripts can read it. */
export function signInRoute(app: FastifyInstance, gateway: Gateway, admin: AdminGuard): void {
  const secure = gateway.options.secureCookies === true;
  app.post<{ Body: { token: string } }>(
    "/ops/session",
    {
      schema: {
        tags,
        summary: "The admin token as a cookie",
        body: AdminSessionBody,
        response: { 204: z.null(), 401: Problem },
      },
    },
    async (request, reply) => {
      if (!admin.knows(request.body.token)) throw new ProblemError("unauthenticated");
      return reply.code(204).header("set-cookie", adminCookie(request.body.token, { secure })).send();
    },
  );
  app.get(
    "/ops/session",
    {
      onRequest: admin.require,
      schema: { tags, summary: "Whether the admin is signed in", response: { 204: z.null(), 401: Problem } },
    },
    async (_request, reply) => reply.code(204).send(),
  );
}

/** The whole header. */
export const adminCookie = (token: string, { secure }: { readonly secure: boolean }): string =>
  stringifySetCookie({
    name: adminCookieName(secure),
    value: token,
    path: "/",
    httpOnly: true,
    sameSite: "strict",
    secure,
  });
