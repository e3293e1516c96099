/**
 * Who is looking, for the name in the masthead. Read from the session cookie without checking its signature: it
 * decides nothing here. Whatever matters is asked of the gateway, which checks.
 */
import { cookies } from "next/headers";
import type { Shopper } from "../session/shopper.ts";

export async function currentShopper(): Promise<Shopper | undefined> {
  const jar = await cookies();
  const token = jar.get("__Host-session")?.value ?? jar.get("session")?.value;
  const payload = token?.split(".")[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    return shopperOf(claims);
  } catch {
    return undefined;
  }
}

function shopperOf(claims: unknown): Shopper | undefined {
  if (typeof claims !== "object" || claims === null) return undefined;
  const { sub, name, exp } = claims as { sub?: unknown; name?: unknown; exp?: unknown };
  if (typeof sub !== "string" || typeof name !== "string" || typeof exp !== "number") return undefined;
  return exp * 1000 > Date.now() ? { userId: sub, name } : undefined;
}
