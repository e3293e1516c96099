/**
 * The purchases on their way that this gateway knows of: same key, same pending purchase. Most were published here;
 * of several gateways' each may be asked for what another one published (`elsewhere`, see in-flight.ts).
 *
 *   admitting ──► refused               nothing was stored; the key is free again
 *       │
 *       └──► published ──► ended        the result is known
 *
 * What can go wrong: an entry lost would turn a pending purchase into "nothing here", so an entry leaves only with a
 * refusal that nobody was told to wait on, or with its result. A publish that may have been stored counts as
 * published. Once somebody was told "pending", a late refusal no longer frees the key: the look-up after the
 * deadline settles it.
 */
import type { PurchaseId, PurchaseResult, SaleId, UserId } from "@plateau/domain";
import type { Refusal } from "../edge/problem.ts";

export type PendingStage = "admitting" | "published" | "refused" | "ended";

/** Whether the reply comes to this gateway. */
export type PendingOrigin = "here" | "elsewhere";

/** What a position was measured against when it was first told, and which. */
export interface ToldStanding {
  /** End offsets of `purchase-requests`, partition by partition. */
  readonly ends: readonly number[];
  readonly position: number;
}

export interface PendingTerms {
  readonly id: PurchaseId;
  readonly saleId: SaleId;
  readonly userId: UserId;
  readonly quantity: number;
  readonly fingerprint: string;
  /** `decideWithin`: ms since epoch, engine time. */
  readonly deadlineMs: number;
}

export class PendingPurchase {
  terms: PendingTerms;
  origin: PendingOrigin = "here";
  stage: PendingStage = "admitting";
  result: PurchaseResult | undefined;
  refusal: Refusal | undefined;
  /** It was handed to the queue; the receipt may still be out. */
  sent = false;
  /** Nobody waits any more: the gateway stops. */
  released = false;
  /** Somebody holds a 202 for it. */
  told = false;
  /** What was told last; the next answer is not higher. */
  toldPosition = Number.POSITIVE_INFINITY;
  /** End offsets of `purchase-requests` at or after its publish. */
  endsAtPublish: readonly number[] | undefined;
  /** As every gateway can read it; undefined until a position was told. */
  toldStanding: ToldStanding | undefined;
  /** Counts readings of the backlog: only a reading begun later can serve as `endsAtPublish`. */
  publishedAtReading = Number.POSITIVE_INFINITY;
  /** When `resolve` was last published for it, ms since epoch. */
  resolvedAtMs = Number.NEGATIVE_INFINITY;
  readonly #listeners = new Set<() => void>();

  constructor(terms: PendingTerms) {
    this.terms = terms;
  }

  /** Somebody here wants to hear of a change. */
  get isAwaited(): boolean {
    return this.#listeners.size > 0;
  }

  /** Calls the listener at each change of stage. Returns how to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when the stage is one of these, or after `timeoutMs`. */
  async reaches(stages: readonly PendingStage[], timeoutMs: number): Promise<void> {
    if (this.released || stages.includes(this.stage) || timeoutMs <= 0) return;
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        stop();
        resolve();
      };
      const timer = setTimeout(finish, timeoutMs);
      const stop = this.onChange(() => {
        if (this.released || stages.includes(this.stage)) finish();
      });
    });
  }

  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

export class PendingPurchases {
  readonly #byId = new Map<string, PendingPurchase>();
  readonly #byBuyer = new Map<string, Set<PendingPurchase>>();
  readonly #elsewhere = new Set<PendingPurchase>();
  readonly #onEnd: (result: PurchaseResult) => void;

  /** `onEnd` hears of the end of each purchase that was published here. */
  constructor(onEnd: (result: PurchaseResult) => void = () => undefined) {
    this.#onEnd = onEnd;
  }

  /** How many that came here have not yet ended. */
  get size(): number {
    return this.#byId.size - this.#elsewhere.size;
  }

  elsewhere(): readonly PendingPurchase[] {
    return [...this.#elsewhere];
  }

  get(id: string): PendingPurchase | undefined {
    return this.#byId.get(id);
  }

  ofBuyer(saleId: string, userId: string): readonly PendingPurchase[] {
    return [...(this.#byBuyer.get(buyerKey(saleId, userId)) ?? [])];
  }

  /** Overdue ones, oldest deadline first as they come with equal terms. */
  *overdue(nowMs: number): Generator<PendingPurchase> {
    for (const pending of this.#byId.values()) {
      if (pending.terms.deadlineMs > nowMs) return;
      yield pending;
    }
  }

  begin(terms: PendingTerms): PendingPurchase {
    if (this.#byId.has(terms.id)) throw new Error("a purchase is begun once");
    const pending = new PendingPurchase(terms);
    this.#byId.set(terms.id, pending);
    const key = buyerKey(terms.saleId, terms.userId);
    const others = this.#byBuyer.get(key);
    if (others === undefined) this.#byBuyer.set(key, new Set([pending]));
    else others.add(pending);
    return pending;
  }

  /** One that another gateway published. */
  beginElsewhere(terms: PendingTerms): PendingPurchase {
    const pending = this.begin(terms);
    this.adopt(pending, terms);
    return pending;
  }

  /** It was begun here, and another gateway has published it, with these terms. */
  adopt(pending: PendingPurchase, terms: PendingTerms): void {
    if (pending.stage !== "admitting" || pending.terms.id !== terms.id) throw new Error("it is on its way from here");
    pending.terms = terms;
    pending.origin = "elsewhere";
    pending.told = true;
    pending.stage = "published";
    this.#elsewhere.add(pending);
    pending.changed();
  }

  /** Stored, or perhaps stored. */
  published(pending: PendingPurchase, atReading: number): void {
    if (pending.stage !== "admitting") return;
    pending.stage = "published";
    pending.publishedAtReading = atReading;
    pending.changed();
  }

  /** Certainly not stored. */
  refuse(pending: PendingPurchase, refusal: Refusal): void {
    if (pending.stage !== "admitting") return;
    if (pending.told) {
      pending.stage = "published";
      pending.changed();
      return;
    }
    pending.stage = "refused";
    pending.refusal = refusal;
    this.#remove(pending);
    pending.changed();
  }

  end(pending: PendingPurchase, result: PurchaseResult): void {
    if (pending.stage === "ended") return;
    if (pending.stage === "refused") throw new Error("a refused purchase has no result");
    const isOurs = pending.origin === "here" && (pending.stage === "published" || pending.sent);
    pending.stage = "ended";
    pending.result = result;
    this.#remove(pending);
    if (isOurs) this.#onEnd(result);
    pending.changed();
  }

  /** Wakes everyone who waits, at the gateway's end: what is published goes on without us. */
  releaseAll(): void {
    for (const pending of [...this.#byId.values()]) {
      pending.released = true;
      pending.changed();
    }
  }

  #remove(pending: PendingPurchase): void {
    const { id, saleId, userId } = pending.terms;
    this.#byId.delete(id);
    this.#elsewhere.delete(pending);
    const key = buyerKey(saleId, userId);
    const others = this.#byBuyer.get(key);
    others?.delete(pending);
    if (others?.size === 0) this.#byBuyer.delete(key);
  }
}

const buyerKey = (saleId: string, userId: string): string => `${saleId} ${userId}`;
