/**
 * Calls to a provider over HTTP.
 *
 * What can go wrong: no answer may mean that the work was done (the answer was lost) or not. The caller repeats the
 * call with the same idempotency key, so both are safe; that is why every failure to get an answer is only
 * "unavailable".
 */
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
export async function callProvider(baseUrl: string, call: ProviderCall): Promise<ProviderAnswer> {
  const response = await send(baseUrl, call);
  if (response.status === 429 || response.status >= 500) {
    throw new ProviderUnavailable(`${call.path} answered ${response.status}`, {
      retryAfterMs: retryAfterMsOf(response),
    });
  }
  if (!response.ok && !call.expect?.includes(response.status)) {
    throw new ProviderRefused(`${call.path} answered ${response.status}: ${response.text.slice(0, 200)}`);
  }
  try {
    return { status: response.status, body: JSON.parse(response.text) };
  } catch (cause) {
    throw new ProviderUnavailable(`${call.path} answered ${response.status} without JSON`, { cause });
  }
}

async function send(
  baseUrl: string,
  { method, path, body, idempotencyKey, signal }: ProviderCall,
): Promise<{ status: number; ok: boolean; headers: Headers; text: string }> {
  try {
    const response = await fetch(new URL(path, baseUrl), {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]),
    });
    return { status: response.status, ok: response.ok, headers: response.headers, text: await response.text() };
  } catch (cause) {
    throw new ProviderUnavailable(`${path} gave no answer`, { cause });
  }
}

/** Retry-After in seconds, as providers send it; a date or nonsense counts as not said. */
function retryAfterMsOf({ headers }: { headers: Headers }): number | undefined {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}
