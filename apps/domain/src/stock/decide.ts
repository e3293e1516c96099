/**
 * The stock stage's decision: the one place where a purchase begins, changes and ends (truth rule 1).
 *
 * Pure: a command, the sale's entries and the time go in; entries to write, events and the reply come out, and
 * are committed together with the command's offset or not at all. So a crash at any moment leaves either the
 * whole decision or none of it, and deciding again after a crash decides the same.
 *
 * | command    | changes                                                | tells                                  |
 * |------------|--------------------------------------------------------|----------------------------------------|
 * | open-sale  | the sale, once                                         | reply: the sale                        |
 * | close-sale | the sale takes no more requests                        | reply: the sale                        |
 * | purchase   | result, once; buyer; when won also the sale            | reply: the result; `results`, once;    |
 * |            |                                                        | won: `reserved`, and `expire` later    |
 * | resolve    | result `expired` where there is none                   | reply: the result; `results`, once     |
 * | pay        | reserved → sold                                        | reply; `sold`, or `pay-refused`        |
 * | cancel     | reserved → cancelled, units return                     | reply; `released`                      |
 * | expire     | reserved and due → payment_expired, units return       | `released`                             |
 */
import type { Decision, Message, StateReader } from "queue-core";
import { type StockCommand, stockKeys } from "../messages.ts";
import type { Moment } from "./moment.ts";
import { decidePurchase, decideResolve, endAsPoison } from "./purchase.ts";
import { decideCancel, decideExpire, decidePay } from "./reservation.ts";
import { decideCloseSale, decideOpenSale } from "./sale.ts";

/** Every entry that deciding this command may read: few, and none that grows with the crowd. */
export function stockEntriesOf(command: StockCommand): readonly string[] {
  const sale = stockKeys.sale(command.saleId);
  switch (command.type) {
    case "open-sale":
    case "close-sale":
      return [sale];
    case "purchase":
    case "resolve":
      return [sale, stockKeys.result(command.purchaseId), stockKeys.buyer(command.saleId, command.userId)];
    case "pay":
      return [sale, stockKeys.result(command.reservationId)];
    case "cancel":
    case "expire":
      return [sale, stockKeys.result(command.reservationId), stockKeys.buyer(command.saleId, command.userId)];
  }
}

/** Throws on a command that cannot be meant (see `poisonStock`). `nowMs` is engine time, ms since epoch. */
export function decideStock(
  message: Message<StockCommand>,
  state: StateReader,
  { nowMs }: { readonly nowMs: number },
): Decision {
  const { value } = message;
  const at: Moment = { position: message.offset, storedAtMs: message.timestampMs, nowMs };
  switch (value.type) {
    case "purchase":
      return decidePurchase(value, state, at);
    case "resolve":
      return decideResolve(value, state, at);
    case "pay":
      return decidePay(value, state, at);
    case "cancel":
      return decideCancel(value, state, at);
    case "expire":
      return decideExpire(value, state, at);
    case "open-sale":
      return decideOpenSale(value, state, at);
    case "close-sale":
      return decideCloseSale(value, state, at);
  }
}

/**
 * What a command leaves behind whose decision threw. A purchase still ends, as `rejected` for `poison`, so that
 * its shopper gets an answer. Any other command changes nothing: it waits among the dead letters, and redriving
 * it after the fault is mended is safe, for it is decided afresh.
 */
export function poisonStock(
  message: Message<StockCommand>,
  state: StateReader,
  { nowMs }: { readonly nowMs: number },
): Decision {
  const { value } = message;
  const at: Moment = { position: message.offset, storedAtMs: message.timestampMs, nowMs };
  if (value.type === "purchase" || value.type === "resolve") return endAsPoison(value, state, at);
  return {};
}
