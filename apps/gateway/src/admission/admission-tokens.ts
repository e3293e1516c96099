/**
 * The admission tokens (令牌桶) that all users share, and, where there are several gateways, all of those.
 *
 *   alone          a bucket in this process: exact, asks nobody
 *   beside others  queue-core's shared bucket: leases of tokens, claimed ahead while there is demand
 *
 * What can go wrong: a shared bucket claims in the background, so the first try after a pause, and the front of a
 * spike, find this gateway's hands empty while the bucket is full; a shopper would be sent away from an idle system.
 * So such a try waits for the claim that it set off, some milliseconds; only so many at once, or refusing would cost
 * as much as admitting. Where the bucket is empty, no claim is under way, and nobody waits. A rate that somebody changes counts from the next try on.
 */
import type { Knobs } from "@plateau/domain";
import { createSharedTokenBucket, createTokenBucket, type Engine, type SharedTokenBucket } from "queue-core";
import type { GatewayCompany } from "../gateway-options.ts";

export type TokenAnswer = { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number };

export interface AdmissionTokens {
  /** Synchronous where the answer is known. A rate of 0 in the settings switches the limit off. */
  take(): TokenAnswer | Promise<TokenAnswer>;
  stop(): Promise<void>;
}

interface Options {
  readonly company: GatewayCompany;
  readonly engine: Engine;
  readonly knobs: () => Knobs;
  readonly onBackgroundError: (where: string, error: unknown) => void;
}

const granted: TokenAnswer = { ok: true };
const waitingMax = 2_000;

export async function openAdmissionTokens(options: Options): Promise<AdmissionTokens> {
  return options.company === "alone" ? ownTokens(options) : SharedTokens.open(options);
}

function ownTokens({ engine, knobs }: Options): AdmissionTokens {
  let inForce = knobs();
  const bucket = createTokenBucket({ now: () => engine.now(), ...rateOf(inForce) });
  return {
    take() {
      const settings = knobs();
      if (settings !== inForce) {
        inForce = settings;
        bucket.configure(rateOf(settings));
      }
      return settings.tokenRatePerSecond === 0 ? granted : bucket.take();
    },
    stop: async () => undefined,
  };
}

class SharedTokens implements AdmissionTokens {
  readonly #options: Options;
  readonly #bucket: SharedTokenBucket;
  #inForce: Knobs;
  #configuring: Promise<void> = Promise.resolve();
  #waiting = 0;

  private constructor(options: Options, bucket: SharedTokenBucket, inForce: Knobs) {
    this.#options = options;
    this.#bucket = bucket;
    this.#inForce = inForce;
  }

  static async open(options: Options): Promise<SharedTokens> {
    const { engine, knobs, onBackgroundError } = options;
    const inForce = knobs();
    const bucket = await createSharedTokenBucket({
      engine,
      name: "admission",
      ...sharedRateOf(inForce),
      onBackgroundError,
    });
    return new SharedTokens(options, bucket, inForce);
  }

  take(): TokenAnswer | Promise<TokenAnswer> {
    const settings = this.#options.knobs();
    if (settings !== this.#inForce) this.#configure(settings);
    if (settings.tokenRatePerSecond === 0) return granted;
    const answer = this.#bucket.take();
    return answer.ok || this.#waiting >= waitingMax ? answer : this.#takeClaimed();
  }

  async stop(): Promise<void> {
    await this.#configuring;
    await this.#bucket.stop();
  }

  async #takeClaimed(): Promise<TokenAnswer> {
    this.#waiting++;
    try {
      return await this.#bucket.takeClaimed();
    } finally {
      this.#waiting--;
    }
  }

  /** Every gateway does, whoever is first; the same rate again changes nothing. */
  #configure(settings: Knobs): void {
    const before = sharedRateOf(this.#inForce);
    const rate = sharedRateOf(settings);
    this.#inForce = settings;
    if (rate.ratePerSecond === before.ratePerSecond && rate.burst === before.burst) return;
    this.#configuring = this.#configuring
      .then(() => this.#bucket.configure(rate))
      .catch((error: unknown) => this.#options.onBackgroundError("admission rate", error));
  }
}

const rateOf = ({ tokenRatePerSecond, tokenBurst }: Knobs) => ({
  ratePerSecond: tokenRatePerSecond,
  burst: tokenBurst,
});

/** One lease in use and one to come: a shared bucket holds at least two tokens. */
const sharedRateOf = (knobs: Knobs) => ({ ...rateOf(knobs), burst: Math.max(2, knobs.tokenBurst) });
