/**
 * Finds out how a purchase ended when its reply did not tell (truth rule 5).
 *
 * What can go wrong: a gateway that inferred an end would contradict the stage that decides. So an end is only read
 * from the stock state, or asked for: `resolve(id)` goes down the same path as the request did, behind it, and
 * either finds its result or records `expired`, which a later original then finds.
 */
import { type PurchaseResult, purchaseRequests, type StockReply, stockKeys } from "@plateau/domain";
import type { Logger } from "pino";
import type { Requester, StateView } from "queue-core";
import type { PendingPurchase, PendingPurchases } from "./pending-purchases.ts";

const sweepEveryMs = 1_000;
/** A resolve that got no answer is repeated after this. */
const resolveAgainMs = 10_000;
/** Bounds what one sweep adds to a queue that may be late because it is full. */
const resolvesPerSweep = 500;

interface ResolverParts {
  readonly stockState: StateView;
  readonly requester: Requester;
  readonly pending: PendingPurchases;
  readonly now: () => number;
  readonly log: Logger;
}

export class PurchaseResolver {
  readonly #parts: ResolverParts;
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;

  constructor(parts: ResolverParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#sweeping ??= this.sweep()
        .catch((error: unknown) => this.#parts.log.warn({ err: error }, "looking up overdue purchases failed"))
        .finally(() => {
          this.#sweeping = undefined;
        });
    }, sweepEveryMs).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  /** The committed result of a purchase, or undefined. Ends it here too where it is pending. */
  async lookUp(saleId: string, purchaseId: string): Promise<PurchaseResult | undefined> {
    const result = await this.#parts.stockState.get<PurchaseResult>(saleId, stockKeys.result(purchaseId));
    if (result === undefined) return undefined;
    const pending = this.#parts.pending.get(purchaseId);
    if (pending?.stage === "published") this.#parts.pending.end(pending, result);
    return result;
  }

  /** Publishes `resolve` for a pending purchase whose deadline is over; once in a while, and never waits for it. True: sent. */
  resolveWhenOverdue(pending: PendingPurchase): boolean {
    const { now, requester, pending: all, log } = this.#parts;
    const nowMs = now();
    const { terms } = pending;
    if (pending.stage !== "published" || terms.deadlineMs > nowMs) return false;
    if (pending.resolvedAtMs + resolveAgainMs > nowMs) return false;
    pending.resolvedAtMs = nowMs;
    const { published, reply } = requester.send(
      purchaseRequests,
      { type: "resolve" as const, purchaseId: terms.id, saleId: terms.saleId, userId: terms.userId },
      { timeoutMs: resolveAgainMs },
    );
    published.catch(() => undefined); // `reply` rejects with the same error.
    (reply as Promise<StockReply>).then(
      (answer) => {
        if (answer.type === "result") all.end(pending, answer.result);
      },
      (error: unknown) => log.debug({ err: error, purchaseId: terms.id }, "resolve was not answered; it is repeated"),
    );
    return true;
  }

  /** One pass over what is overdue. */
  async sweep(): Promise<void> {
    let resolves = 0;
    for (const pending of [...this.#parts.pending.overdue(this.#parts.now())]) {
      if (resolves === resolvesPerSweep) return;
      const { saleId, id } = pending.terms;
      if ((await this.lookUp(saleId, id)) !== undefined) continue;
      if (this.resolveWhenOverdue(pending)) resolves++;
    }
  }
}
