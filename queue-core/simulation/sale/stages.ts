/**
 * The two deciding stages of the simulated sale, as `process` runs them.
 *
 * What can go wrong is what they are made to show: each files the offset it decided last and links its emission to it,
 * so that a message decided twice, or never, or by a stale owner, leaves a fork or a gap in the chain.
 */

import type { ReplyAddress } from "../../src/engine.ts";
import {
  type Decision,
  type EntryWrite,
  emit,
  type Message,
  type ProcessOptions,
  type StateReader,
} from "../../src/queue.ts";
import {
  type Answer,
  type Cause,
  type Command,
  commands,
  events,
  type PurchaseRequest,
  piecesOf,
  requests,
  type SaleEvent,
  type Stock,
} from "./topics.ts";

const cursor = "cursor";
const purchasesAUser = 4;

export const riskStage: Pick<
  ProcessOptions<PurchaseRequest, number>,
  "group" | "topic" | "keys" | "decide" | "poison"
> = {
  group: "risk",
  topic: requests,
  keys: ({ user }) => [cursor, `user:${user}`],
  decide(message, state) {
    if (message.value.poison === "risk") throw new Error("risk cannot decide this");
    const count = state.get<number>(`user:${message.value.user}`) ?? 0;
    const verdict = count < purchasesAUser ? "pass" : "refuse";
    return passOn(message, state, verdict, [{ key: `user:${message.value.user}`, value: count + 1 }]);
  },
  poison: (message, _error, state) => passOn(message, state, "refuse", []),
};

function passOn(
  message: Message<PurchaseRequest>,
  state: StateReader,
  verdict: "pass" | "refuse",
  writes: readonly EntryWrite[],
): Decision {
  const { purchase, user, sale, poison } = message.value;
  const command: Command = {
    kind: "decide",
    purchase,
    user,
    sale,
    verdict,
    cause: causeOf(message, state),
    ...(poison === "stock" ? { poison: true } : {}),
  };
  return {
    writes: [...writes, { key: cursor, value: message.offset }],
    emit: [emit(commands, command, withReply(message.headers.replyTo))],
  };
}

export function stockStage(
  payWithinMs: number,
): Pick<ProcessOptions<Command>, "group" | "topic" | "keys" | "decide" | "poison"> {
  return {
    group: "stock",
    topic: commands,
    keys: ({ purchase, user, sale }) => [cursor, `sale:${sale}`, `buyer:${sale}:${user}`, `result:${purchase}`],
    decide(message, state, { nowMs }) {
      const command = message.value;
      if (command.kind === "decide") return decidePurchase(message, command, state, nowMs + payWithinMs, payWithinMs);
      return command.kind === "pay"
        ? endReservation(message, state, "paid")
        : endReservation(message, state, "released");
    },
    poison: (message, _error, state) => refuse(message, state, "poisoned"),
  };
}

interface Reservation {
  readonly purchase: string;
  readonly state: "reserved" | "sold";
}

function decidePurchase(
  message: Message<Command>,
  command: Command & { readonly kind: "decide" },
  state: StateReader,
  dueMs: number,
  payWithinMs: number,
): Decision {
  const { purchase, user, sale } = command;
  const known = state.get<Answer>(`result:${purchase}`);
  if (known !== undefined) return { ...tell(message, state, "repeated", stockOf(state, sale), known), reply: known };
  if (command.poison === true) throw new Error("stock cannot decide this");
  if (command.verdict === "refuse") return refuse(message, state, "risky");
  if (state.get(`buyer:${sale}:${user}`) !== undefined) return refuse(message, state, "limit");
  const before = stockOf(state, sale);
  if (before.available === 0) return refuse(message, state, "sold out");
  const stock = {
    ...before,
    version: before.version + 1,
    available: before.available - 1,
    reserved: before.reserved + 1,
  };
  const answer: Answer = { purchase, decision: "won", version: stock.version };
  const told = tell(message, state, "won", stock, answer);
  const reservation: Reservation = { purchase, state: "reserved" };
  const expiry: Command = { kind: "expire", purchase, user, sale, dueMs, cause: causeOf(message, state) };
  return {
    writes: [
      ...(told.writes ?? []),
      { key: `sale:${sale}`, value: stock },
      { key: `buyer:${sale}:${user}`, value: reservation },
      { key: `result:${purchase}`, value: answer },
    ],
    emit: [...(told.emit ?? []), emit(commands, expiry, { delayMs: payWithinMs })],
    reply: answer,
  };
}

function refuse(message: Message<Command>, state: StateReader, decision: Answer["decision"]): Decision {
  const { purchase, sale } = message.value;
  const stock = stockOf(state, sale);
  const answer: Answer = { purchase, decision, version: stock.version };
  const told = tell(message, state, "refused", stock, answer);
  return { ...told, writes: [...(told.writes ?? []), { key: `result:${purchase}`, value: answer }], reply: answer };
}

function endReservation(message: Message<Command>, state: StateReader, kind: "paid" | "released"): Decision {
  const { purchase, user, sale } = message.value;
  const stock = stockOf(state, sale);
  const reservation = state.get<Reservation>(`buyer:${sale}:${user}`);
  if (reservation?.purchase !== purchase || reservation.state !== "reserved")
    return tell(message, state, "ignored", stock, undefined);
  const ended: Stock =
    kind === "paid"
      ? { ...stock, version: stock.version + 1, reserved: stock.reserved - 1, sold: stock.sold + 1 }
      : { ...stock, version: stock.version + 1, reserved: stock.reserved - 1, available: stock.available + 1 };
  const told = tell(message, state, kind, ended, undefined);
  const buyer = kind === "paid" ? { purchase, state: "sold" } : null;
  return {
    ...told,
    writes: [
      ...(told.writes ?? []),
      { key: `sale:${sale}`, value: ended },
      { key: `buyer:${sale}:${user}`, value: buyer },
    ],
  };
}

/** The event, and the cursor moved: every decision of the stage does at least this. */
function tell(
  message: Message<Command>,
  state: StateReader,
  kind: SaleEvent["kind"],
  stock: Stock,
  answer: Answer | undefined,
): Decision {
  const { purchase, user, sale } = message.value;
  const event: SaleEvent = { kind, purchase, user, sale, answer, cause: causeOf(message, state), stock };
  return { writes: [{ key: cursor, value: message.offset }], emit: [emit(events, event)] };
}

function stockOf(state: StateReader, sale: string): Stock {
  return state.get<Stock>(`sale:${sale}`) ?? { version: 0, available: piecesOf(sale), reserved: 0, sold: 0 };
}

function causeOf(message: Message<unknown>, state: StateReader): Cause {
  return { partition: message.partition, offset: message.offset, previous: state.get<number>(cursor) ?? -1 };
}

function withReply(replyTo: ReplyAddress | undefined): { replyTo?: ReplyAddress } {
  return replyTo === undefined ? {} : { replyTo };
}
