/**
 * For tests: a payment provider in memory that keeps the port's rules. It answers no authorisation before `answer` is
 * called, and each answer may be lost on the way, after the call took effect.
 */
import type { AuthoriseAnswer, PaymentProvider, SettleAnswer } from "../payment/payment-provider.ts";
import { ProviderUnavailable } from "../providers/provider-errors.ts";

interface Held {
  readonly reference: string;
  /** How it was settled; more than one move would be money moved twice. */
  readonly moves: ("captured" | "voided")[];
}

export class PaperProvider implements PaymentProvider {
  /** By idempotency key, which is the authorisation's id too. */
  readonly ledger = new Map<string, Held>();
  asked = 0;
  lost = 0;
  conflicts = 0;
  readonly #random: () => number;
  readonly #answering = Promise.withResolvers<void>();

  constructor(random: () => number) {
    this.#random = random;
  }

  answer(): void {
    this.#answering.resolve();
  }

  async authorise({
    idempotencyKey,
    reference,
  }: {
    idempotencyKey: string;
    reference: string;
  }): Promise<AuthoriseAnswer> {
    this.asked++;
    await this.#answering.promise;
    if (!this.ledger.has(idempotencyKey)) this.ledger.set(idempotencyKey, { reference, moves: [] });
    this.#maybeLoseTheAnswer();
    return { status: "authorised", authorisationId: idempotencyKey };
  }

  capture = async (id: string): Promise<SettleAnswer> => this.#settle(id, "captured");
  void = async (id: string): Promise<SettleAnswer> => this.#settle(id, "voided");

  async find(reference: string) {
    for (const [id, held] of this.ledger) {
      if (held.reference === reference) return { id, status: held.moves[0] ?? ("authorised" as const) };
    }
    return undefined;
  }

  #settle(id: string, move: "captured" | "voided"): SettleAnswer {
    const moves = this.ledger.get(id)?.moves;
    if (moves === undefined) throw new Error(`no authorisation ${id}`);
    if (moves.length === 0) moves.push(move);
    this.#maybeLoseTheAnswer();
    if (moves[0] === move) return "settled";
    this.conflicts++;
    return "conflict";
  }

  #maybeLoseTheAnswer(): void {
    if (this.#random() >= 0.15) return;
    this.lost++;
    throw new ProviderUnavailable("the answer was lost on the way", { retryAfterMs: 50 });
  }
}
