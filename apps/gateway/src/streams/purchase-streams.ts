/**
 * Streams of single purchases: queued updates, the result, then what becomes of the reservation.
 *
 *   queued (at most 4 a second) ──► won ──► paid | cancelled | payment_expired ──► end of stream
 *                              └──► sold_out | rejected | expired ──► end of stream
 *
 * What can go wrong: the reply went to another gateway, or was lost. A stream therefore does not trust replies
 * alone: it is woken by one, and looks at the stock state itself on every tick.
 */
import { type Purchase, type PurchaseResult, stockKeys } from "@plateau/domain";
import type { Logger } from "pino";
import type { StateView } from "queue-core";
import type { InFlight } from "../purchases/in-flight.ts";
import type { PendingPurchases } from "../purchases/pending-purchases.ts";
import type { PurchaseResolver } from "../purchases/purchase-resolver.ts";
import { isFinal, purchaseOfResult, queuedPurchase } from "../purchases/purchase-view.ts";
import type { EventStream } from "./event-streams.ts";

const tickMs = 250;

interface Watched {
  readonly stream: EventStream;
  readonly purchaseId: string;
  readonly saleId: string;
  last: string;
}

interface Parts {
  readonly stockState: StateView;
  readonly pending: PendingPurchases;
  readonly resolver: PurchaseResolver;
  readonly inFlight: InFlight;
  readonly log: Logger;
}

export class PurchaseStreams {
  readonly #parts: Parts;
  readonly #watched = new Set<Watched>();
  readonly #timer: NodeJS.Timeout;
  #ticking: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.#tick(), tickMs).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#ticking;
  }

  /** Sends `purchase` now and whatever becomes of it, until nothing can change. */
  watch(stream: EventStream, purchase: Purchase): void {
    const watched: Watched = { stream, purchaseId: purchase.id, saleId: purchase.saleId, last: "" };
    this.#watched.add(watched);
    stream.onClose(() => this.#watched.delete(watched));
    this.#tell(watched, purchase);
    const pending = this.#parts.pending.get(purchase.id);
    if (pending === undefined) return;
    const stop = pending.onChange(() => {
      if (pending.result !== undefined) this.#tell(watched, purchaseOfResult(pending.result));
    });
    stream.onClose(stop);
  }

  #tick(): void {
    this.#ticking ??= this.#lookAgain()
      .catch((error: unknown) =>
        this.#parts.log.warn({ err: error }, "purchase streams could not be brought up to date"),
      )
      .finally(() => {
        this.#ticking = undefined;
      });
  }

  async #lookAgain(): Promise<void> {
    const bySale = Map.groupBy(this.#watched, ({ saleId }) => saleId);
    await Promise.all([...bySale].map(([saleId, watched]) => this.#lookAtSale(saleId, watched)));
  }

  async #lookAtSale(saleId: string, watched: readonly Watched[]): Promise<void> {
    const { stockState, pending, inFlight, resolver } = this.#parts;
    const keys = watched.map(({ purchaseId }) => stockKeys.result(purchaseId));
    const found = await stockState.getMany<PurchaseResult>(saleId, keys);
    for (const [index, one] of watched.entries()) {
      const result = found[index];
      if (result !== undefined) {
        this.#tell(one, purchaseOfResult(result));
        continue;
      }
      const waiting = pending.get(one.purchaseId);
      if (waiting === undefined) continue;
      resolver.resolveWhenOverdue(waiting);
      const standing = await inFlight.standing(waiting);
      // It may have ended while we looked.
      if (waiting.result === undefined) this.#tell(one, queuedPurchase(waiting, standing));
    }
  }

  #tell(watched: Watched, purchase: Purchase): void {
    const { stream } = watched;
    const text = JSON.stringify(purchase);
    if (!stream.open || !this.#watched.has(watched) || text === watched.last) return;
    watched.last = text;
    stream.send("purchase", text);
    if (isFinal(purchase)) {
      this.#watched.delete(watched);
      stream.end();
    }
  }
}
