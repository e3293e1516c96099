/**
 * Sign-in: one click makes a shopper; those of this device can be changed for one another, and signed out.
 *
 * What can go wrong: accounts made in bulk. An address may make a few a minute (loopback excepted unless the knob
 * says so), and the device's count of accounts travels in the token to the risk stage.
 */

import { DeviceShoppers, newUserId, Problem, randomToken, Session, SessionRequest } from "@plateau/domain";
import { parseCookie, stringifySetCookie } from "cookie";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { z } from "zod";
import { isLoopback, networkOf } from "../admission/limits.ts";
import { ProblemError } from "../edge/problem.ts";
import type { Gateway } from "../gateway.ts";
import {
  readRemembered,
  rememberedCookieName,
  rememberedCookiePath,
  rememberedCookieValue,
} from "../session/remembered-shoppers.ts";
import { deviceCookieName, type SessionGuard, sessionCookieName } from "../session/session-guard.ts";

const signInsPerMinute = 30;
const deviceCookieMaxAgeS = 365 * 86_400;
const devicePattern = /^[A-Za-z0-9_-]{1,64}$/;
const shopperNames = ["Ada", "Ben", "Chen", "Dara", "Eli", "Fatou", "Gus", "Hana", "Ivo", "June", "Kofi", "Lin"];

export function sessionRoutes(app: FastifyInstance, gateway: Gateway, guard: SessionGuard): void {
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
      const others = await readRemembered(gateway.sessions, request.headers.cookie);
      setCookies(reply, gateway, {
        token: signed.token,
        deviceId,
        remembered: rememberedCookieValue(signed.token, others),
      });
      return reply.code(201).send({ userId, name, token: signed.token, expiresAt });
    },
  );
  deviceRoutes(app, gateway, guard);
}

function deviceRoutes(app: FastifyInstance, gateway: Gateway, guard: SessionGuard): void {
  app.get(
    "/session/shoppers",
    {
      schema: {
        tags: ["session"],
        summary: "The shoppers that have signed in on this device",
        response: { 200: DeviceShoppers },
      },
    },
    async (request, reply) => {
      const [remembered, current] = await Promise.all([
        readRemembered(gateway.sessions, request.headers.cookie),
        guard.find(request),
      ]);
      reply.header("cache-control", "no-store");
      return {
        shoppers: remembered.map(({ session: { userId, name } }) => ({
          userId,
          name,
          current: userId === current?.userId,
        })),
      };
    },
  );

  app.post<{ Params: { userId: string } }>(
    "/session/shoppers/:userId",
    {
      schema: {
        tags: ["session"],
        summary: "Go on as another shopper of this device",
        params: z.object({ userId: z.string() }),
        response: { 200: Session, "4xx": Problem },
      },
    },
    async (request, reply) => {
      const remembered = await readRemembered(gateway.sessions, request.headers.cookie);
      const chosen = remembered.find(({ session }) => session.userId === request.params.userId);
      if (chosen === undefined) throw new ProblemError("not-found", "No such shopper on this device");
      const { session, token } = chosen;
      const others = remembered.filter((one) => one !== chosen);
      setCookies(reply, gateway, {
        token,
        deviceId: session.deviceId,
        remembered: rememberedCookieValue(token, others),
      });
      const { userId, name, expiresAtMs } = session;
      return { userId, name, token, expiresAt: new Date(expiresAtMs).toISOString() };
    },
  );

  app.delete(
    "/session",
    {
      schema: {
        tags: ["session"],
        summary: "Sign out; the device remembers its shoppers",
        response: { 204: z.null() },
      },
    },
    async (_request, reply) => {
      const secure = gateway.options.secureCookies === true;
      const gone = { name: sessionCookieName(secure), value: "", path: "/", maxAge: 0 } as const;
      reply.header("set-cookie", stringifySetCookie({ ...gone, httpOnly: true, sameSite: "lax", secure }));
      return reply.code(204).send(null);
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

interface SignedIn {
  readonly token: string;
  readonly deviceId: string | undefined;
  readonly remembered: string;
}

function setCookies(reply: FastifyReply, gateway: Gateway, { token, deviceId, remembered }: SignedIn): void {
  const secure = gateway.options.secureCookies === true;
  const common = { path: "/", httpOnly: true, sameSite: "lax", secure } as const;
  const maxAge = Math.floor(gateway.timings.sessionLifetimeMs / 1000);
  reply.header("set-cookie", [
    stringifySetCookie({ name: sessionCookieName(secure), value: token, ...common, maxAge }),
    stringifySetCookie({
      name: rememberedCookieName,
      value: remembered,
      ...common,
      path: rememberedCookiePath,
      maxAge,
    }),
    ...(deviceId === undefined
      ? []
      : [stringifySetCookie({ name: deviceCookieName, value: deviceId, ...common, maxAge: deviceCookieMaxAgeS })]),
  ]);
}
