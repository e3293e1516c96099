/**
 * Session tokens: JWT, HS256, one issuer.
 *
 * What can go wrong: verifying costs some 30 µs, the same token comes with each request of a shopper; verified
 * tokens are remembered. A remembered token still expires. Why a token was refused is never told.
 */
import { createHash, webcrypto } from "node:crypto";
import type { UserId } from "@plateau/domain";
import { jwtVerify, SignJWT } from "jose";
import { LRUCache } from "lru-cache";

export interface Session {
  readonly userId: UserId;
  readonly name: string;
  readonly deviceId?: string;
  /** Accounts that had signed in on this device when this one did. */
  readonly accountsOnDevice?: number;
  readonly expiresAtMs: number;
}

export interface SessionTokens {
  sign(session: Omit<Session, "expiresAtMs">): Promise<{ readonly token: string; readonly expiresAtMs: number }>;
  /** Undefined for a token that is forged, foreign or expired. Synchronous where the token is remembered. */
  verify(token: string): Session | undefined | Promise<Session | undefined>;
}

const issuer = "plateau";
const algorithm = "HS256";
/** About 400 bytes each. */
const rememberedMax = 50_000;
/** Longer than any token we sign; a longer one is not worth hashing. */
const tokenMaxLength = 1_024;

export async function createSessionTokens(options: {
  secret: string;
  lifetimeMs: number;
  now: () => number;
}): Promise<SessionTokens> {
  const key = await webcrypto.subtle.importKey(
    "raw",
    createHash("sha256").update(options.secret).digest(),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign", "verify"],
  );
  const remembered = new LRUCache<string, Session>({ max: rememberedMax });

  const check = async (token: string): Promise<Session | undefined> => {
    try {
      const currentDate = new Date(options.now());
      const { payload } = await jwtVerify(token, key, { algorithms: [algorithm], issuer, currentDate });
      const session = sessionOf(payload);
      if (session !== undefined) remembered.set(token, session);
      return session;
    } catch {
      return undefined;
    }
  };

  return {
    async sign(session) {
      const nowS = Math.floor(options.now() / 1000);
      const expiresAtS = nowS + Math.ceil(options.lifetimeMs / 1000);
      const token = await new SignJWT({
        name: session.name,
        ...(session.deviceId === undefined ? {} : { device: session.deviceId }),
        ...(session.accountsOnDevice === undefined ? {} : { accounts: session.accountsOnDevice }),
      })
        .setProtectedHeader({ alg: algorithm })
        .setIssuer(issuer)
        .setSubject(session.userId)
        .setIssuedAt(nowS)
        .setExpirationTime(expiresAtS)
        .sign(key);
      const expiresAtMs = expiresAtS * 1000;
      remembered.set(token, { ...session, expiresAtMs });
      return { token, expiresAtMs };
    },
    verify(token) {
      const known = remembered.get(token);
      if (known === undefined) return token.length > tokenMaxLength ? undefined : check(token);
      return known.expiresAtMs > options.now() ? known : undefined;
    },
  };
}

function sessionOf(payload: Record<string, unknown>): Session | undefined {
  const { sub, name, device, accounts, exp } = payload;
  if (typeof sub !== "string" || typeof name !== "string" || typeof exp !== "number") return undefined;
  return {
    userId: sub as UserId,
    name,
    ...(typeof device === "string" ? { deviceId: device } : {}),
    ...(typeof accounts === "number" ? { accountsOnDevice: accounts } : {}),
    expiresAtMs: exp * 1000,
  };
}
