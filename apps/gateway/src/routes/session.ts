/**
 * Sign-in: one click makes a shopper.
 *
 * What can go wrong: accounts made in bulk. An address may make a few a minute (loopback excepted unless the knob
 * says so), and the device's count of accounts travels in the token to the risk stage.
 */

import { newUserId, Problem, randomToken, Session, SessionRequest } from "@plateau/domain";
import { parseCookie, stringifySetCookie } from "cookie";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { isLoopback, networkOf } from "../admission/limits.ts";
import { ProblemError } from "../edge/problem.ts";
import type { Gateway } from "../gateway.ts";
import { deviceCookieName, sessionCookieName } from "../session/session-guard.ts";

const signInsPerMinute = 30;
const deviceCookieMaxAgeS = 365 * 86_400;
const devicePattern = /^[A-Za-z0-9_-]{1,64}$/;
const shopperNames = ["Ada", "Ben", "Chen", "Dara", "Eli", "Fatou", "Gus", "Hana", "Ivo", "June", "Kofi", "Lin"];

export function sessionRoutes(app: FastifyInstance, gateway: Gateway): void {
  const limiter = new RateLimiterMemory({ points: signInsPerMinute, duration: 60 });
  app.post<{ Body: { name?: string | undefined } | null | undefined }>(
    "/session",
    {
      schema: {
        tags: ["session"],
        summary: "Sign in as a new shopper: a token and a cookie",
        description:
          "Header `Device-Id` (or the cookie `device_id`) names the device; accounts are counted per device.",
        body: SessionRequest.nullish(),
        response: { 201: Session, "4xx": Problem },
      },
    },
    async (request, reply) => {
      await limitSignIns(gateway, limiter, request.ip);
      const deviceId = readDevice(request) ?? `d_${randomToken()}`;
      const userId = newUserId();
      const name = request.body?.name ?? shopperNames[Math.floor(Math.random() * shopperNames.length)] ?? "Shopper";
      const accountsOnDevice = await createUser(gateway, { userId, name, deviceId });
      const signed = await gateway.sessions.sign({ userId, name, deviceId, accountsOnDevice });
      const expiresAt = new Date(signed.expiresAtMs).toISOString();
      setCookies(reply, { token: signed.token, deviceId, secure: gateway.options.secureCookies === true, gateway });
      return reply.code(201).send({ userId, name, token: signed.token, expiresAt });
    },
  );
}

async function limitSignIns(gateway: Gateway, limiter: RateLimiterMemory, address: string): Promise<void> {
  if (!gateway.knobs.get().limitLoopback && isLoopback(address)) return;
  try {
    await limiter.consume(networkOf(address));
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error;
    throw new ProblemError("throttled", "Too many sign-ins", {
      retryAfterMs: error.msBeforeNext,
      members: { limit: "address" },
    });
  }
}

function readDevice({ headers }: FastifyRequest): string | undefined {
  const header = headers["device-id"];
  if (header !== undefined) {
    if (typeof header === "string" && devicePattern.test(header)) return header;
    throw new ProblemError("invalid-request", "Device-Id: 1 to 64 letters, digits, _ or -");
  }
  const cookie = headers.cookie === undefined ? undefined : parseCookie(headers.cookie)[deviceCookieName];
  return cookie !== undefined && devicePattern.test(cookie) ? cookie : undefined;
}

/** Resolves with how many accounts the device has now. */
async function createUser(
  { db }: Gateway,
  { userId, name, deviceId }: { userId: string; name: string; deviceId: string },
): Promise<number> {
  const [, , accounts] = await db.$transaction([
    db.user.create({ data: { id: userId, name } }),
    db.deviceAccount.create({ data: { deviceId, userId } }),
    db.deviceAccount.count({ where: { deviceId } }),
  ]);
  return accounts;
}

function setCookies(
  reply: FastifyReply,
  { token, deviceId, secure, gateway }: { token: string; deviceId: string; secure: boolean; gateway: Gateway },
): void {
  const common = { path: "/", httpOnly: true, sameSite: "lax", secure } as const;
  const maxAge = Math.floor(gateway.timings.sessionLifetimeMs / 1000);
  reply.header("set-cookie", [
    stringifySetCookie({ name: sessionCookieName(secure), value: token, ...common, maxAge }),
    stringifySetCookie({ name: deviceCookieName, value: deviceId, ...common, maxAge: deviceCookieMaxAgeS }),
  ]);
}
