/** The control room's key: one token, compared in constant time, from `Authorization: Bearer` or from its cookie. */
import { createHash, timingSafeEqual } from "node:crypto";
import { parseCookie } from "cookie";
import type { FastifyRequest } from "fastify";
import { ProblemError } from "../edge/problem.ts";
import { bearerToken } from "./session-guard.ts";

export const adminCookieName = (secure: boolean): string => (secure ? "__Host-admin" : "admin");

export interface AdminGuard {
  knows(token: string): boolean;
  /** A preHandler: 401, with one body for every cause. */
  require(request: FastifyRequest): Promise<void>;
}

export function createAdminGuard(adminToken: string, options: { secureCookies: boolean }): AdminGuard {
  if (adminToken.length < 8) throw new Error("the admin token is shorter than 8 characters");
  const expected = digest(adminToken);
  const knows = (token: string): boolean => timingSafeEqual(digest(token), expected);
  return {
    knows,
    async require({ headers }) {
      const token =
        headers.authorization === undefined
          ? parseCookie(headers.cookie ?? "")[adminCookieName(options.secureCookies)]
          : bearerToken(headers.authorization);
      if (token === undefined || !knows(token)) throw new ProblemError("unauthenticated");
    },
  };
}

/** Of equal length whatever the token's is. */
const digest = (token: string): Buffer => createHash("sha256").update(token).digest();
