/**
 * How a page in the browser asks the gateway: same origin, JSON, problems as values.
 *
 * What can go wrong: the connection breaks or nothing comes in time. Then nobody knows whether the request arrived,
 * so that is an outcome of its own (`lost`) and never a failure to be shown as an answer.
 */
import type { Problem } from "@plateau/domain/http";
import type { ProblemCode } from "@plateau/domain/problems";

export type Reply<Body> =
  | { readonly kind: "ok"; readonly status: number; readonly body: Body }
  | {
      readonly kind: "problem";
      readonly status: number;
      readonly code: ProblemCode;
      readonly problem: Problem & { readonly reason?: string };
      /** From `Retry-After`; undefined where the gateway named none. */
      readonly retryAfterMs: number | undefined;
    }
  | { readonly kind: "lost" };

export interface Call {
  readonly method?: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly withinMs?: number;
}

export async function call<Body>(path: `/api/${string}`, options: Call = {}): Promise<Reply<Body>> {
  const { method = "GET", body, headers = {}, withinMs = 12_000 } = options;
  try {
    const response = await fetch(path, {
      method,
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      cache: "no-store",
      credentials: "same-origin",
      signal: AbortSignal.timeout(withinMs),
    });
    const json: unknown = response.status === 204 ? undefined : await response.json();
    if (response.ok) return { kind: "ok", status: response.status, body: json as Body };
    const problem = json as Problem;
    return {
      kind: "problem",
      status: response.status,
      code: problem.code as ProblemCode,
      problem,
      retryAfterMs: retryAfterMs(response.headers.get("retry-after")),
    };
  } catch {
    return { kind: "lost" };
  }
}

/** Seconds as RFC 9110 writes them; a date or anything else counts as unnamed. */
export function retryAfterMs(header: string | null): number | undefined {
  return header !== null && /^\d{1,5}$/.test(header) ? Number(header) * 1000 : undefined;
}
