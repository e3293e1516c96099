/** Finds out who asks: the session token from `Authorization: Bearer` or from the cookie. */
import { parseCookie } from "cookie";
import type { FastifyReply, FastifyRequest } from "fastify";
import { ProblemError } from "../edge/problem.ts";
import type { Session, SessionTokens } from "./session-tokens.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set by `requireSession`. */
    session: Session | null;
  }
}

export const sessionCookieName = (secure: boolean): string => (secure ? "__Host-session" : "session");
export const deviceCookieName = "device_id";

export interface SessionGuard {
  /** Undefined where nobody, or nobody known, asks. */
  find(request: FastifyRequest): Session | undefined | Promise<Session | undefined>;
  /** A preHandler: answers 401, with one body for every cause, or sets `request.session`. */
  require(request: FastifyRequest, reply: FastifyReply): Promise<void>;
}

export function createSessionGuard(tokens: SessionTokens, options: { secureCookies: boolean }): SessionGuard {
  const cookieName = sessionCookieName(options.secureCookies);
  const find = (request: FastifyRequest): Session | undefined | Promise<Session | undefined> => {
    const { authorization, cookie } = request.headers;
    if (authorization !== undefined) {
      const token = bearerToken(authorization);
      return token === undefined ? undefined : tokens.verify(token);
    }
    const token = cookie === undefined ? undefined : parseCookie(cookie)[cookieName];
    return token === undefined ? undefined : tokens.verify(token);
  };
  return {
    find,
    async require(request) {
      const session = await find(request);
      if (session === undefined) throw new ProblemError("unauthenticated");
      request.session = session;
    },
  };
}

/** For handlers behind `require`. */
export function sessionOf(request: FastifyRequest): Session {
  if (request.session === null) throw new ProblemError("unauthenticated");
  return request.session;
}

export function bearerToken(authorization: string): string | undefined {
  return authorization.length > 7 && authorization.slice(0, 7).toLowerCase() === "bearer "
    ? authorization.slice(7)
    : undefined;
}
