/**
 * What becomes of a reservation: the first of pay, cancel and expire that is committed ends it.
 *
 *   reserved ──pay──────► sold
 *            ──cancel───► cancelled         units return
 *            ──expire───► payment_expired   units return
 *
 * What can go wrong: these commands race, repeat and come late; money may be authorised for a reservation that has
 * just ended.
 * Promise: units return at most once, and only from `reserved`. Each payment is answered by exactly one kind of
 * event: `sold` with its id (capture it), or `pay-refused` (void it); a repeat of it gets no other kind.
 */
import { type Decision, type EntryWrite, emit, type StateReader } from "queue-core";
import {
  type BuyerUnits,
  type PurchaseResult,
  type SaleStock,
  type StockCommand,
  type StockReply,
  stockKeys,
} from "../messages.ts";
import { reservations, stockCommands } from "../topics.ts";
import type { Moment } from "./moment.ts";
import { reservationEvent } from "./reservation-event.ts";
import { moveUnits, resultExpiresAfterMs } from "./sale.ts";

type Pay = Extract<StockCommand, { type: "pay" }>;
type Cancel = Extract<StockCommand, { type: "cancel" }>;
type Expire = Extract<StockCommand, { type: "expire" }>;
type Reservation = NonNullable<PurchaseResult["reservation"]>;
type WonResult = PurchaseResult & { readonly reservation: Reservation };

export function decidePay(command: Pay, state: StateReader, at: Moment): Decision {
  const { paymentId } = command;
  const won = findWon(command, state);
  if (won === undefined) return notFound;
  const { reservation } = won;
  if (reservation.state === "sold" && reservation.paymentId === paymentId) return answer(won, true);

  const before = saleOf(won, state);
  if (reservation.state !== "reserved") {
    const event = reservationEvent(won, before, at);
    const refusal = { type: "pay-refused", ...event, version: reservation.version, paymentId } as const;
    return { ...answer(won, false), emit: [emit(reservations, refusal)] };
  }

  const sale = moveUnits(before, "sell", won.quantity, at);
  const result = ended(won, { state: "sold", paymentId }, at);
  const event = reservationEvent(result, sale, at);
  return {
    ...answer(result, true),
    writes: [saleWrite(sale), resultWrite(result, sale, at)],
    emit: [emit(reservations, { type: "sold", ...event, version: result.reservation.version, paymentId })],
  };
}

/** Another user's reservation is answered as an absent one. */
export function decideCancel(command: Cancel, state: StateReader, at: Moment): Decision {
  const won = findWon(command, state);
  if (won === undefined || won.userId !== command.userId) return notFound;
  if (won.reservation.state !== "reserved") return answer(won, false);
  return release(won, "cancelled", state, at);
}

export function decideExpire(command: Expire, state: StateReader, at: Moment): Decision {
  const won = findWon(command, state);
  if (won === undefined) return notFound;
  const { state: now, payBeforeMs } = won.reservation;
  if (now !== "reserved") return answer(won, false);
  if (at.nowMs >= payBeforeMs) return release(won, "payment_expired", state, at);
  // Early, so not the one that the reservation's commit sent; it waits for the rest, lest nobody comes when due.
  const again = emit(stockCommands, command, { delayMs: payBeforeMs - at.nowMs });
  return { ...answer(won, false), emit: [again] };
}

function release(won: WonResult, cause: "cancelled" | "payment_expired", state: StateReader, at: Moment): Decision {
  const sale = moveUnits(saleOf(won, state), "release", won.quantity, at);
  const result = ended(won, { state: cause }, at);
  const event = reservationEvent(result, sale, at);
  return {
    ...answer(result, true),
    writes: [saleWrite(sale), buyerWrite(won, sale, state, at), resultWrite(result, sale, at)],
    emit: [emit(reservations, { type: "released", ...event, version: result.reservation.version, cause })],
  };
}

/** A reservation's id is its purchase's id, so its result is found without an index. */
function findWon(of: Pay | Cancel | Expire, state: StateReader): WonResult | undefined {
  const result = state.get<PurchaseResult>(stockKeys.result(of.reservationId));
  // A command that names another sale must not move that sale's units.
  if (result === undefined || result.saleId !== of.saleId || !hasReservation(result)) return undefined;
  return result;
}

function hasReservation(result: PurchaseResult): result is WonResult {
  return result.reservation !== undefined;
}

function saleOf(won: WonResult, state: StateReader): SaleStock {
  const sale = state.get<SaleStock>(stockKeys.sale(won.saleId));
  if (sale === undefined) throw new Error(`sale ${won.saleId} of reservation ${won.reservation.id} is gone`);
  return sale;
}

function ended(won: WonResult, end: Pick<Reservation, "state" | "paymentId">, at: Moment): WonResult {
  const { id, payBeforeMs, version } = won.reservation;
  return { ...won, reservation: { id, payBeforeMs, ...end, version: version + 1, endedAtMs: at.nowMs } };
}

const saleWrite = (sale: SaleStock): EntryWrite => ({ key: stockKeys.sale(sale.terms.saleId), value: sale });

const resultWrite = (result: PurchaseResult, sale: SaleStock, at: Moment): EntryWrite => ({
  key: stockKeys.result(result.purchaseId),
  value: result,
  expiresAfterMs: resultExpiresAfterMs(sale, at.nowMs),
});

/** Released units no longer count against the buyer's limit. */
function buyerWrite(won: WonResult, sale: SaleStock, state: StateReader, at: Moment): EntryWrite {
  const key = stockKeys.buyer(won.saleId, won.userId);
  const buyer = state.get<BuyerUnits>(key);
  if (buyer === undefined || buyer.units < won.quantity) {
    throw new Error(`${key} holds ${buyer?.units ?? "no"} units, fewer than the ${won.quantity} reserved`);
  }
  const value: BuyerUnits = { units: buyer.units - won.quantity, purchaseIds: buyer.purchaseIds };
  return { key, value, expiresAfterMs: resultExpiresAfterMs(sale, at.nowMs) };
}

const notFound: Decision = { reply: { type: "not-found" } satisfies StockReply };

const answer = (result: PurchaseResult, applied: boolean): Decision => ({
  reply: { type: "reservation", applied, result } satisfies StockReply,
});
