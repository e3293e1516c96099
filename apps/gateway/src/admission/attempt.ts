/** One call of `POST /api/sales/:saleId/purchases` on its way through the admission steps. */
import type { PurchaseResult, UserId } from "@plateau/domain";
import type { FastifyRequest } from "fastify";
import type { Refusal } from "../edge/problem.ts";
import type { Gateway } from "../gateway.ts";
import type { PendingPurchase } from "../purchases/pending-purchases.ts";
import type { LiveSale } from "../sales/sale-board.ts";
import type { Session } from "../session/session-tokens.ts";

export interface Attempt {
  readonly gateway: Gateway;
  readonly request: FastifyRequest;
  readonly saleId: string;
  readonly quantity: number;
  readonly fingerprint: string;
  /** Engine time of its arrival, ms since epoch. */
  readonly arrivedAtMs: number;
  /** Each is set by the step that finds it out. */
  session: Session | undefined;
  pending: PendingPurchase | undefined;
  sale: LiveSale | undefined;
}

/** Ends the way through the steps. */
export type Verdict =
  | { readonly kind: "refuse"; readonly refusal: Refusal; readonly hintPosition?: number }
  /** It ended before: the same answer again. */
  | { readonly kind: "ended"; readonly result: PurchaseResult }
  /** It is on its way already: wait with whoever sent it. */
  | { readonly kind: "join"; readonly pending: PendingPurchase };

/** Undefined: on to the next step. */
export type Step = (attempt: Attempt) => Verdict | undefined | Promise<Verdict | undefined>;

export function refuse(refusal: Refusal, hintPosition?: number): Verdict {
  return { kind: "refuse", refusal, ...(hintPosition === undefined ? {} : { hintPosition }) };
}

/** What an earlier step has set; a step that runs too early is a fault of the list. */
export function set<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`${name} is not known yet at this step`);
  return value;
}

export const userOf = (attempt: Attempt): UserId => set(attempt.session, "session").userId;
