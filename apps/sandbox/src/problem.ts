/** Problems of the providers (RFC 9457): stable code, status and title. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly code: string;
  /** Seconds, as the header Retry-After has them. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, code: string, detail: string, retryAfterSeconds?: number) {
    super(detail);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get body(): { type: string; title: string; status: number; code: string; detail: string } {
    const title = this.code.replaceAll("-", " ");
    return { type: `/problems/${this.code}`, title, status: this.status, code: this.code, detail: this.message };
  }
}

export const invalidRequest = (detail: string): Problem => new Problem(400, "invalid-request", detail);
export const notFound = (): Problem => new Problem(404, "not-found", "no such thing here");
export const conflict = (detail: string): Problem => new Problem(409, "conflict", detail);
export const keyReused = (): Problem =>
  new Problem(422, "key-reused", "this Idempotency-Key was used with another body");
export const throttled = (retryAfterSeconds: number): Problem =>
  new Problem(429, "throttled", "too many requests a second", retryAfterSeconds);
export const outOfOrder = (): Problem => new Problem(503, "unavailable", "this provider is failing, as ordered", 1);
export const internalError = (): Problem => new Problem(500, "internal-error", "our fault");
