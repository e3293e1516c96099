/**
 * Orders to the outside world (the sandbox): how long it takes, by the knobs, and how it fails, by the faults.
 *
 * What can go wrong: the order does not arrive, or the sandbox starts again and forgets it. What is wanted is compared
 * with what the sandbox has every few seconds while anything unusual is wanted, and said again where it differs. A
 * sandbox that nobody here ever ordered anything of is left alone: others may order it directly.
 */
import type { FaultStore, Knobs } from "@plateau/domain";
import { ProblemError } from "../edge/problem.ts";

export const providers = ["payments", "sms", "risk"] as const;
export type Provider = (typeof providers)[number];

type Order = Readonly<Record<string, number>>;

const compareEveryMs = 3_000;
const answerWithinMs = 5_000;

export interface ProviderOrdersParts {
  readonly sandboxUrl: string | undefined;
  readonly faults: FaultStore;
  readonly knobs: () => Knobs;
  /** As the sandbox takes it by itself. */
  readonly usual: Knobs;
}

export class ProviderOrders {
  readonly #parts: ProviderOrdersParts;
  /** As it was last taken; nothing: as usual. */
  readonly #taken = new Map<Provider, string>();
  #comparedAtMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor(parts: ProviderOrdersParts) {
    this.#parts = parts;
    // Ordered before this gateway started: whether it was taken, or taken back, is not known.
    for (const provider of providers) if (parts.faults.last(provider) !== undefined) this.#taken.set(provider, "");
  }

  get isAttached(): boolean {
    return this.#parts.sandboxUrl !== undefined;
  }

  /** Throws unavailable where the sandbox does not take it. */
  async tell(provider: Provider): Promise<void> {
    const order = this.#wanted(provider);
    await this.#call(`/faults/${provider}`, { method: "PUT", body: JSON.stringify(order) });
    this.#taken.set(provider, JSON.stringify(order));
  }

  /** Tells what changed or was forgotten. Rejects where the sandbox does not answer; the next call tries again. */
  lookAgain(nowMs: number): Promise<void> {
    if (!this.isAttached) return Promise.resolve();
    this.#looking ??= this.#lookAgain(nowMs).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookAgain(nowMs: number): Promise<void> {
    for (const provider of providers) {
      if (JSON.stringify(this.#wanted(provider)) !== (this.#taken.get(provider) ?? "{}")) await this.tell(provider);
    }
    const unusual = providers.filter((provider) => Object.keys(this.#wanted(provider)).length > 0);
    if (unusual.length === 0 || nowMs - this.#comparedAtMs < compareEveryMs) return;
    this.#comparedAtMs = nowMs;
    const has = (await this.#call("/faults", {})) as Readonly<Partial<Record<Provider, Order>>>;
    for (const provider of unusual) {
      const differs = Object.entries(this.#wanted(provider)).some(([name, value]) => has[provider]?.[name] !== value);
      if (differs) await this.tell(provider);
    }
  }

  #wanted(provider: Provider): Order {
    const { knobs, usual, faults } = this.#parts;
    const knob = `${provider === "payments" ? "payment" : provider}LatencyMs` as const;
    const latency = knobs()[knob] === usual[knob] ? {} : { latencyMs: knobs()[knob] };
    const { seconds: _seconds, ...fault } = faults.active(provider)?.order ?? { seconds: 0 };
    return { ...latency, ...(fault as Order) };
  }

  async #call(path: string, init: RequestInit): Promise<unknown> {
    const { sandboxUrl } = this.#parts;
    if (sandboxUrl === undefined) throw new ProblemError("not-found", "No sandbox is attached");
    const headers = { "content-type": "application/json" };
    const signal = AbortSignal.timeout(answerWithinMs);
    const answer = await fetch(`${sandboxUrl}${path}`, { ...init, headers, signal }).catch(() => undefined);
    if (answer?.status === 400) throw new ProblemError("invalid-request", "The sandbox knows no such fault");
    if (answer?.ok !== true)
      throw new ProblemError("unavailable", "The sandbox does not answer", { retryAfterMs: 2_000 });
    return answer.json();
  }
}
