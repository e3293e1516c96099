/**
 * A token bucket (令牌桶): a bounded number of tokens, fed at a fixed rate from the queue's clock.
 *
 * What can go wrong: a clock that jumps would fill or freeze the bucket; engine time never goes backwards, and the
 * bound limits what a forward jump can give. A change of the rate must not revalue time that has passed: the
 * bucket is fed at the old rate up to the moment of the change.
 */
import { QueueError } from "./errors.ts";
import { checkTokens } from "./number-checks.ts";
import type { TokenBucket } from "./queue.ts";

interface Settings {
  readonly ratePerSecond: number;
  /** The most tokens that can lie in the bucket; it starts full. */
  readonly burst: number;
}

/** What a caller is told while the rate is 0, when no time would be true. */
const closedRetryMs = 60_000;

/** `now` in ms. Throws INVALID_ARGUMENT for a negative or non-finite rate, or a burst under 1. */
export function createTokenBucket(options: { now: () => number } & Settings): TokenBucket {
  let settings: Settings = checked(options);
  let tokens = settings.burst;
  let fedAtMs = options.now();

  const feed = (): void => {
    const nowMs = options.now();
    if (nowMs <= fedAtMs) return;
    tokens = Math.min(settings.burst, tokens + ((nowMs - fedAtMs) * settings.ratePerSecond) / 1000);
    fedAtMs = nowMs;
  };

  return {
    take(count = 1) {
      checkTokens(count);
      feed();
      // Feeding in fractions may leave 0.999…9 where a whole token is due.
      if (tokens + 1e-9 >= count) {
        tokens = Math.max(0, tokens - count);
        return { ok: true };
      }
      if (settings.ratePerSecond === 0) return { ok: false, retryAfterMs: closedRetryMs };
      return { ok: false, retryAfterMs: Math.ceil(((count - tokens) * 1000) / settings.ratePerSecond) };
    },
    configure(next) {
      const accepted = checked(next);
      feed();
      settings = accepted;
      tokens = Math.min(tokens, settings.burst);
    },
  };
}

function checked({ ratePerSecond, burst }: Settings): Settings {
  if (!Number.isFinite(ratePerSecond) || ratePerSecond < 0) {
    throw new QueueError("INVALID_ARGUMENT", `ratePerSecond is ${ratePerSecond}; it must be a finite number from 0 on`);
  }
  if (!Number.isFinite(burst) || burst < 1) {
    throw new QueueError("INVALID_ARGUMENT", `burst is ${burst}; it must be a finite number from 1 on`);
  }
  return { ratePerSecond, burst };
}
