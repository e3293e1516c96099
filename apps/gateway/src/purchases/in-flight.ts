/**
 * Purchases that are on their way, wherever they were published: those that this gateway waits for, and, where there
 * are others beside it, those that they wait for (or waited, before they ended).
 *
 *   here       published by us: the reply comes to us
 *   elsewhere  found by its entry: nobody replies to us, so while somebody waits here we look for its result
 *
 * What can go wrong: a shopper asks another gateway than the one that holds the purchase, and is told that there is
 * none; or a retry is admitted a second time, or refused although the first is on its way. So where there are
 * several gateways, each asks for the entry before it says so. A look for each that waits would be a crowd's worth
 * of reads: they are bundled, a sale at a time.
 */
import { type PurchaseResult, type SaleId, stockKeys, type UserId } from "@plateau/domain";
import type { Logger } from "pino";
import type { StateView } from "queue-core";
import { keyReused } from "../edge/problem.ts";
import type { BacklogWatch, Standing } from "../flow/backlog-watch.ts";
import type { AskedPurchase, AskedPurchases } from "./asked-purchases.ts";
import type { PendingPurchase, PendingPurchases, PendingTerms } from "./pending-purchases.ts";

const lookEveryMs = 100;
/** Of one sale at a time. */
const lookedAtOnceMax = 1_000;

interface Parts {
  readonly pending: PendingPurchases;
  /** Undefined where this is the only gateway. */
  readonly asked: AskedPurchases | undefined;
  readonly stockState: StateView;
  readonly backlog: BacklogWatch;
  readonly log: Logger;
}

export class InFlight {
  readonly #parts: Parts;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#parts.asked === undefined) return;
    this.#timer = setInterval(() => {
      this.#looking ??= this.look()
        .catch((error: unknown) => this.#parts.log.warn({ err: error }, "results of other gateways could not be read"))
        .finally(() => {
          this.#looking = undefined;
        });
    }, lookEveryMs).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** The purchase while it is on its way, or undefined; one that has a result by now may still be found. */
  async find(of: Pick<PendingTerms, "id" | "saleId" | "userId">): Promise<PendingPurchase | undefined> {
    const { pending, asked } = this.#parts;
    const here = pending.get(of.id);
    if (here !== undefined || asked === undefined) return here;
    const found = await asked.find(of);
    return found === undefined ? undefined : this.#known(found);
  }

  /** As published by whichever gateway; undefined where this is the only one, or nobody did. */
  async entryOf(of: Pick<PendingTerms, "id" | "saleId" | "userId">): Promise<AskedPurchase | undefined> {
    return this.#parts.asked?.find(of);
  }

  async ofBuyer(saleId: SaleId, userId: UserId): Promise<readonly PendingPurchase[]> {
    const { pending, asked } = this.#parts;
    const known = new Map(pending.ofBuyer(saleId, userId).map((one) => [one.terms.id, one]));
    const entries = (await asked?.ofBuyer(saleId, userId)) ?? [];
    const strange = entries.filter(({ terms }) => !known.has(terms.id));
    const results = await this.#resultsOf(
      saleId,
      strange.map(({ terms }) => terms.id),
    );
    for (const [index, entry] of strange.entries()) {
      if (results[index] === undefined) known.set(entry.terms.id, this.#known(entry));
    }
    return [...known.values()].filter(({ stage }) => stage === "published");
  }

  /** A purchase that was begun here turns out to be on its way already. */
  join(pending: PendingPurchase, entry: AskedPurchase): void {
    this.#parts.pending.adopt(pending, entry.terms);
    measureAs(pending, entry, this.#parts.backlog.begun);
  }

  /** Another gateway published the same key between our look and our publish, which stored nothing. Never rejects. */
  async yield(pending: PendingPurchase): Promise<void> {
    const { pending: all, asked, log } = this.#parts;
    const { terms } = pending;
    let entry: AskedPurchase | undefined;
    try {
      entry = await asked?.find(terms);
    } catch (error) {
      // Published it is; its result tells by which body.
      log.warn({ err: error, purchaseId: terms.id }, "what another gateway published could not be read");
    }
    if (pending.stage !== "admitting") return;
    if (entry !== undefined && entry.terms.fingerprint !== terms.fingerprint) all.refuse(pending, keyReused);
    else this.join(pending, entry ?? { terms, told: undefined });
  }

  /** Another gateway is to find what this one tells of; where that cannot be stored either, only this one knows. */
  perhapsPublished({ terms }: PendingPurchase): void {
    this.#parts.asked
      ?.enter(terms)
      .catch((error: unknown) => this.#parts.log.debug({ err: error, purchaseId: terms.id }, "nor entered for others"));
  }

  /** Where it stands. The first time that this is told of a purchase, it is entered for the other gateways. */
  async standing(pending: PendingPurchase): Promise<Standing> {
    const { asked, backlog, log } = this.#parts;
    const standing = await backlog.standing(pending);
    if (asked === undefined || pending.toldStanding !== undefined || pending.endsAtPublish === undefined)
      return standing;
    pending.toldStanding = { ends: pending.endsAtPublish, position: standing.position };
    await asked
      .enter(pending.terms, pending.toldStanding)
      .catch((error: unknown) => log.warn({ err: error }, "a position told could not be entered for other gateways"));
    return standing;
  }

  /** One look at the results of those elsewhere that somebody here waits for. */
  async look(): Promise<void> {
    const awaited = this.#parts.pending.elsewhere().filter((pending) => pending.isAwaited);
    const bySale = Map.groupBy(awaited, ({ terms }) => terms.saleId);
    await Promise.all([...bySale].map(([saleId, waiting]) => this.#lookAtSale(saleId, waiting)));
  }

  async #lookAtSale(saleId: SaleId, waiting: readonly PendingPurchase[]): Promise<void> {
    for (let from = 0; from < waiting.length; from += lookedAtOnceMax) {
      const some = waiting.slice(from, from + lookedAtOnceMax);
      const results = await this.#resultsOf(
        saleId,
        some.map(({ terms }) => terms.id),
      );
      for (const [index, pending] of some.entries()) {
        const result = results[index];
        if (result !== undefined) this.#parts.pending.end(pending, result);
      }
    }
  }

  async #resultsOf(saleId: SaleId, ids: readonly string[]): Promise<readonly (PurchaseResult | undefined)[]> {
    if (ids.length === 0) return [];
    const keys = ids.map((id) => stockKeys.result(id));
    return this.#parts.stockState.getMany<PurchaseResult>(saleId, keys);
  }

  #known(entry: AskedPurchase): PendingPurchase {
    const { pending: all, backlog } = this.#parts;
    const pending = all.get(entry.terms.id) ?? all.beginElsewhere(entry.terms);
    if (pending.origin === "elsewhere") measureAs(pending, entry, backlog.begun);
    return pending;
  }
}

/** Against what was read after its publish: what another gateway told of, or what is read from now on. */
function measureAs(pending: PendingPurchase, { told }: AskedPurchase, reading: number): void {
  if (pending.endsAtPublish !== undefined) return;
  pending.publishedAtReading = told === undefined ? Math.min(pending.publishedAtReading, reading) : 0;
  if (told === undefined) return;
  pending.endsAtPublish = told.ends;
  pending.toldPosition = told.position;
  pending.toldStanding = told;
}
