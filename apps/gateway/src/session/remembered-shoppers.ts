/**
 * The demo shoppers that have signed in on a device, so that one can be changed for another without a password.
 *
 * They are kept as their session tokens in a cookie that no script can read and that travels to the session routes
 * alone: no purchase carries it. What can go wrong: a cookie is the visitor's to change, so every token in it is
 * verified before anything is told or done; it must not grow, so the newest few are kept.
 */
import { parseCookie } from "cookie";
import type { Session, SessionTokens } from "./session-tokens.ts";

export const rememberedCookieName = "shoppers";
export const rememberedCookiePath = "/api/session";

const rememberedMax = 6;

export interface RememberedShopper {
  readonly session: Session;
  readonly token: string;
}

/** The newest first, each shopper once; forged and expired tokens are left out. */
export async function readRemembered(
  tokens: SessionTokens,
  cookieHeader: string | undefined,
): Promise<readonly RememberedShopper[]> {
  const listed = parseCookie(cookieHeader ?? "")[rememberedCookieName]?.split("~") ?? [];
  const found = new Map<string, RememberedShopper>();
  for (const token of listed.slice(0, rememberedMax)) {
    const session = await tokens.verify(token);
    if (session !== undefined && !found.has(session.userId)) found.set(session.userId, { session, token });
  }
  return [...found.values()];
}

export const rememberedCookieValue = (newest: string, others: readonly RememberedShopper[]): string =>
  [newest, ...others.map(({ token }) => token)].slice(0, rememberedMax).join("~");
