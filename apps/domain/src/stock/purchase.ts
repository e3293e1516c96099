/**
 * How a purchase ends in the stock stage: `won`, `sold_out`, `rejected` or `expired`.
 *
 * What can go wrong: the same request comes twice (a retry, a redelivery, a look-up that overtook it), or late.
 * Promise: the first end is the only one. It is written as `result:<purchaseId>` and told to `results` in the
 * commit that decides it, and named in the buyer's entry; whatever comes later for that id is answered from it and changes nothing.
 */
import { type Decision, emit, type StateReader } from "queue-core";
import { reservationIdOf } from "../ids.ts";
import {
  type BuyerUnits,
  buyerPurchasesMax,
  type JudgedPurchase,
  type PurchaseEnded,
  type PurchaseOutcome,
  type PurchaseResult,
  type RejectionReason,
  type ResolveRequest,
  type SaleStock,
  type StockReply,
  stockKeys,
} from "../messages.ts";
import { reservations, results, stockCommands } from "../topics.ts";
import type { Moment } from "./moment.ts";
import { reservationEvent } from "./reservation-event.ts";
import { isOpenFor, mayHaveForgottenResults, moveUnits, resultExpiresAfterMs } from "./sale.ts";

/** What every decision here starts from. */
interface Asked<Request> {
  readonly request: Request;
  /** Undefined where nobody opened such a sale. */
  readonly sale: SaleStock | undefined;
  readonly buyer: BuyerUnits;
  readonly at: Moment;
}

const newBuyer: BuyerUnits = { units: 0, purchaseIds: [] };

/** The order of the checks is the order of the answers' weight: an earlier one hides the later ones. */
export function decidePurchase(request: JudgedPurchase, state: StateReader, at: Moment): Decision {
  const known = state.get<PurchaseResult>(stockKeys.result(request.purchaseId));
  if (known !== undefined) return answer(known);

  const { quantity, risk } = request;
  if (!Number.isSafeInteger(quantity) || quantity < 1) {
    throw new Error(`purchase ${request.purchaseId}: a quantity of ${quantity} is no purchase`);
  }
  const asked = askedOf(request, state, at);
  const { sale, buyer } = asked;
  if (!isOpenFor(sale, request.requestedAtMs)) return reject(asked, "sale-not-open");
  if (at.nowMs > request.decideByMs) return end(asked, resultOf(asked, "expired"));
  if (risk.verdict === "refuse") return reject(asked, risk.reason);
  if (buyer.units + quantity > sale.terms.perUserLimit) return reject(asked, "limit-reached");
  if (quantity > sale.available) return end(asked, resultOf(asked, "sold_out"));
  return win(asked, sale);
}

/** "What became of this id?" Nothing yet: then it ends here, and an original that comes later finds it ended. */
export function decideResolve(request: ResolveRequest, state: StateReader, at: Moment): Decision {
  const known = state.get<PurchaseResult>(stockKeys.result(request.purchaseId));
  if (known !== undefined) return answer(known);

  const asked = askedOf(request, state, at);
  // Its result may have been told and forgotten; `expired` could contradict it.
  if (mayHaveForgottenResults(asked.sale, at.nowMs)) return { reply: { type: "not-found" } satisfies StockReply };
  return end(asked, resultOf(asked, "expired"));
}

/** What a request leaves behind whose decision threw: an end like any other, with the reason `poison`. */
export function endAsPoison(request: JudgedPurchase | ResolveRequest, state: StateReader, at: Moment): Decision {
  const known = state.get<PurchaseResult>(stockKeys.result(request.purchaseId));
  if (known !== undefined) return answer(known);
  return reject(askedOf(request, state, at), "poison");
}

function askedOf<Request extends JudgedPurchase | ResolveRequest>(
  request: Request,
  state: StateReader,
  at: Moment,
): Asked<Request> {
  const { saleId, userId } = request;
  const sale = state.get<SaleStock>(stockKeys.sale(saleId));
  return { request, sale, buyer: state.get<BuyerUnits>(stockKeys.buyer(saleId, userId)) ?? newBuyer, at };
}

function win(asked: Asked<JudgedPurchase>, before: SaleStock): Decision {
  const { request, buyer, at } = asked;
  const { saleId, userId, quantity, requestedAtMs } = request;
  const { judgedAtMs } = request.risk;
  const sale = moveUnits(before, "reserve", quantity, at);
  const reservationId = reservationIdOf(request.purchaseId);
  const payBeforeMs = at.nowMs + sale.terms.paymentTimeoutMs;
  const result: PurchaseResult = {
    ...resultOf(asked, "won"),
    reservation: { id: reservationId, payBeforeMs, state: "reserved", version: 1 },
  };
  const ended = end(asked, result, buyer.units + quantity);
  const event = reservationEvent(result, sale, at);
  return {
    reply: ended.reply,
    writes: [{ key: stockKeys.sale(saleId), value: sale }, ...ended.writes],
    emit: [
      ...ended.emit,
      emit(reservations, {
        type: "reserved",
        ...event,
        version: 1,
        payBeforeMs,
        requestedAtMs,
        ...(judgedAtMs === undefined ? {} : { judgedAtMs }),
      }),
      emit(stockCommands, { type: "expire", saleId, reservationId, userId }, { delayMs: sale.terms.paymentTimeoutMs }),
    ],
  };
}

function reject(asked: Asked<JudgedPurchase | ResolveRequest>, reason: RejectionReason): Decision {
  return end(asked, { ...resultOf(asked, "rejected"), reason });
}

/** The one place where a purchase ends: its result, its place among the buyer's, its `results` event, its reply. */
function end(
  { request, sale, buyer, at }: Asked<JudgedPurchase | ResolveRequest>,
  result: PurchaseResult,
  units = buyer.units,
) {
  const { purchaseId, saleId, userId } = request;
  const ended: PurchaseEnded = {
    purchaseId,
    saleId,
    userId,
    quantity: result.quantity,
    outcome: result.outcome,
    ...(result.reason === undefined ? {} : { reason: result.reason }),
    scored: result.scored === true,
    requestedAtMs: request.type === "purchase" ? request.requestedAtMs : at.storedAtMs,
    decidedAtMs: at.nowMs,
    position: result.position,
  };
  const expiresAfterMs = resultExpiresAfterMs(sale, at.nowMs);
  const kept = buyer.purchaseIds.length < buyerPurchasesMax ? buyer.purchaseIds : buyer.purchaseIds.slice(1);
  const nowBuyer: BuyerUnits = { units, purchaseIds: [...kept, purchaseId] };
  return {
    writes: [
      { key: stockKeys.result(purchaseId), value: result, expiresAfterMs },
      { key: stockKeys.buyer(saleId, userId), value: nowBuyer, expiresAfterMs },
    ],
    emit: [emit(results, ended)],
    reply: { type: "result", result } satisfies StockReply,
  };
}

function resultOf({ request, at }: Asked<JudgedPurchase | ResolveRequest>, outcome: PurchaseOutcome): PurchaseResult {
  const { purchaseId, saleId, userId } = request;
  const decided = { outcome, decidedAtMs: at.nowMs, position: at.position };
  if (request.type === "resolve") return { purchaseId, saleId, userId, quantity: 0, ...decided };
  const { quantity, fingerprint, risk } = request;
  return { purchaseId, saleId, userId, quantity, fingerprint, scored: risk.scored, ...decided };
}

const answer = (result: PurchaseResult): Decision => ({ reply: { type: "result", result } satisfies StockReply });
