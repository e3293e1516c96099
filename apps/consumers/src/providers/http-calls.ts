/**
 * Calls to a provider over HTTP.
 *
 * What can go wrong: no answer may mean that the work was done (the answer was lost) or not. The caller repeats the
 * call with the same idempotency key, so both are safe; that is why every failure to get an answer is only
 * "unavailable".
 */
import { Pool } from "undici";
import { ProviderRefused, ProviderUnavailable } from "./provider-errors.ts";

export interface ProviderCall {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  /** Statuses besides 2xx that the caller wants to see itself. */
  readonly expect?: readonly number[];
  readonly signal: AbortSignal;
}

export interface ProviderAnswer {
  readonly status: number;
  readonly body: unknown;
}

const answerWithinMs = 5_000;

/** Throws ProviderUnavailable for 429, 5xx and no answer, ProviderRefused for every other status not expected. */
export type CallProvider = (call: ProviderCall) => Promise<ProviderAnswer>;

/**
 * Connections to the provider at this URL, kept alive between calls; idle ones keep no process alive. undici itself
 * and not the global fetch, whose streams took a sixth of the back end's processor time while messages went out.
 */
export function connectProvider(url: string): CallProvider {
  const pool = new Pool(new URL(url).origin, {
    connections: 16,
    connectTimeout: answerWithinMs,
    headersTimeout: answerWithinMs,
    bodyTimeout: answerWithinMs,
  });
  return async (call) => {
    const { path } = call;
    const { status, retryAfterMs, text } = await send(pool, call);
    if (status === 429 || status >= 500) {
      throw new ProviderUnavailable(`${path} answered ${status}`, { retryAfterMs });
    }
    if (!(status >= 200 && status < 300) && !call.expect?.includes(status)) {
      throw new ProviderRefused(`${path} answered ${status}: ${text.slice(0, 200)}`);
    }
    try {
      return { status, body: JSON.parse(text) };
    } catch (cause) {
      throw new ProviderUnavailable(`${path} answered ${status} without JSON`, { cause });
    }
  };
}

interface RawAnswer {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  readonly text: string;
}

async function send(pool: Pool, { method, path, body, idempotencyKey, signal }: ProviderCall): Promise<RawAnswer> {
  try {
    const response = await pool.request({
      method,
      path,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal,
    });
    const retryAfterMs = retryAfterMsOf(response.headers["retry-after"]);
    return { status: response.statusCode, retryAfterMs, text: await response.body.text() };
  } catch (cause) {
    throw new ProviderUnavailable(`${path} gave no answer`, { cause });
  }
}

/** Retry-After in seconds, as providers send it; a date or nonsense counts as not said. */
function retryAfterMsOf(header: string | string[] | undefined): number | undefined {
  const seconds = typeof header === "string" ? Number(header) : Number.NaN;
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}
