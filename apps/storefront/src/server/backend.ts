/**
 * How a page asks the gateway on the server, for its first view: over HTTP, with the visitor's own cookies.
 *
 * What can go wrong: the gateway is away or slow (then the page says so instead of hanging), the visitor is not
 * signed in, the thing does not exist. The last two are answers; the first is thrown.
 */
import type { ProblemCode } from "@plateau/domain/problems";
import { headers } from "next/headers";

export type Answer<Body> =
  | { readonly ok: true; readonly body: Body }
  | { readonly ok: false; readonly status: number; readonly code: ProblemCode | undefined };

const answerWithinMs = 5_000;

export class GatewayAway extends Error {
  override readonly name = "GatewayAway";
}

/** Asks `BACKEND_URL`. Throws `GatewayAway` without an answer in 5 s or with one that is no JSON. */
export async function ask<Body>(path: `/api/${string}`): Promise<Answer<Body>> {
  const backend = process.env.BACKEND_URL;
  if (backend === undefined || backend === "") throw new Error("BACKEND_URL is not set: the storefront has no gateway");
  const cookie = (await headers()).get("cookie");
  try {
    const response = await fetch(new URL(path, backend), {
      headers: { accept: "application/json", ...(cookie === null ? {} : { cookie }) },
      cache: "no-store",
      signal: AbortSignal.timeout(answerWithinMs),
    });
    const body: unknown = await response.json();
    if (response.ok) return { ok: true, body: body as Body };
    return { ok: false, status: response.status, code: (body as { code?: ProblemCode }).code };
  } catch (cause) {
    throw new GatewayAway(`the gateway did not answer ${path}`, { cause });
  }
}

/** For what every visitor may see: an answer that is a problem is thrown too. */
export async function askOrThrow<Body>(path: `/api/${string}`): Promise<Body> {
  const answer = await ask<Body>(path);
  if (answer.ok) return answer.body;
  throw new GatewayAway(`the gateway answered ${path} with ${answer.status} ${answer.code ?? ""}`);
}
