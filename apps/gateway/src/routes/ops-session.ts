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
      const cookie = stringifySetCookie({
        name: adminCookieName(secure),
        value: request.body.token,
        path: "/",
        httpOnly: true,
        sameSite: "strict",
        secure,
      });
      return reply.code(204).header("set-cookie", cookie).send();
    },
  );
}
