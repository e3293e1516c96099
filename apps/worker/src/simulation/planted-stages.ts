/**
 * Stock stages with one fault each, planted to show that the checks see it: the real decisions, but for one.
 *
 * What can go wrong: a planted fault that breaks more than it says would be seen by luck. Each one touches one kind of
 * command, and leaves the units and the limits as the real decision has them.
 */
import {
  decideStock,
  groups,
  type JudgedPurchase,
  poisonStock,
  type StockCommand,
  stockCommands,
  stockEntriesOf,
  stockKeys,
} from "@plateau/domain";
import type { Decision, Message, StateReader } from "queue-core";
import type { StageMember } from "./worker-process.ts";

type Decide = (message: Message<StockCommand>, state: StateReader, at: { readonly nowMs: number }) => Decision;

const stageWith =
  (decide: Decide): StageMember =>
  (queue, member) =>
    queue.process<StockCommand>({
      group: groups.stock,
      topic: stockCommands,
      member,
      keys: stockEntriesOf,
      decide,
      poison: (command, _error, state, context) => poisonStock(command, state, context),
    });

/** Decides a purchase that comes again as if it were new. */
export const forgetsResults = stageWith((message, state, at) => {
  if (message.value.type !== "purchase") return decideStock(message, state, at);
  const result = stockKeys.result(message.value.purchaseId);
  const forgetful = { get: <V>(key: string) => (key === result ? undefined : state.get<V>(key)) };
  return decideStock(message, forgetful, at);
});

/** Answers `expired` to a resolve, and records nothing: the original may still win. */
export const resolvesWithoutRecord = stageWith((message, state, at) => {
  const decision = decideStock(message, state, at);
  if (message.value.type !== "resolve" || decision.reply === undefined) return decision;
  return { reply: decision.reply };
});

/** Does the work of a purchase however late it is. */
export const forgetsDeadlines = stageWith((message, state, at) => {
  if (message.value.type !== "purchase") return decideStock(message, state, at);
  const value: JudgedPurchase = { ...message.value, decideByMs: Number.MAX_SAFE_INTEGER };
  return decideStock({ ...message, value }, state, at);
});

/** Tells the payers of what has ended nothing: their money is held for ever. */
export const forgetsRefusals = stageWith((message, state, at) => {
  const decision = decideStock(message, state, at);
  if (message.value.type !== "pay" || decision.writes !== undefined) return decision;
  return { ...decision, emit: [] };
});
