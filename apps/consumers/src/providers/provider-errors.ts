/** How an outside provider can fail, as far as a consumer must tell cases apart. */
import { type Outcome, pause } from "queue-core";

/** Down, slow, broken or throttling: the same call may work later. */
export class ProviderUnavailable extends Error {
  override readonly name = "ProviderUnavailable";
  /** When the provider says so: ms after which to call again. */
  readonly retryAfterMs: number | undefined;

  constructor(detail: string, options: { retryAfterMs?: number | undefined; cause?: unknown } = {}) {
    super(detail, { cause: options.cause });
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The provider will not take this call, now or later. */
export class ProviderRefused extends Error {
  override readonly name = "ProviderRefused";
}

/** Rests the partition for as long as the error says, else with the queue's own backoff. */
export const pauseFor = ({ retryAfterMs }: { readonly retryAfterMs: number | undefined }): Outcome =>
  pause(retryAfterMs === undefined ? {} : { afterMs: retryAfterMs });
