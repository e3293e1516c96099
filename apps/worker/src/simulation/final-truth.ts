/**
 * What the log says at last, after everything healed and the power was cut once more, held against what was told.
 *
 * What can go wrong, and is looked for: two results for one purchase, a result that differs from its event or from
 * the message that it names, a unit lost or sold twice, a reservation that ended twice, money taken for what is not sold.
 */
import {
  groups,
  type PurchaseEnded,
  type PurchaseId,
  type PurchaseResult,
  purchaseRequests,
  type ReservationEvent,
  reservations,
  results,
  type SaleStock,
  type StockCommand,
  stockCommands,
  stockKeys,
} from "@plateau/domain";
import type { Message, Queue, Topic } from "queue-core";
import type { World } from "queue-core/simulation";
import type { HeldPayment } from "./payment-office.ts";
import { saleId } from "./shoppers.ts";
import type { Tellings } from "./tellings.ts";

export interface TruthParts {
  readonly world: World;
  readonly queue: Queue;
  readonly tellings: Tellings;
  readonly ids: readonly PurchaseId[];
  readonly payments: readonly HeldPayment[];
}

/** What a run came to; for whoever asks whether it met what it is for. */
export interface FinalTruth {
  readonly results: ReadonlyMap<PurchaseId, PurchaseResult>;
  readonly commands: readonly Message<StockCommand>[];
  readonly counts: Readonly<Record<string, number>>;
}

export async function checkFinalTruth(parts: TruthParts): Promise<FinalTruth> {
  const { queue, ids, world, tellings } = parts;
  const view = queue.state(groups.stock, stockCommands);
  const ended = await all<PurchaseEnded>(queue, results);
  const events = await all<ReservationEvent>(queue, reservations);
  const commands = await all<StockCommand>(queue, stockCommands);
  const final = new Map<PurchaseId, PurchaseResult>();
  for (const id of ids) {
    const result = await view.get<PurchaseResult>(saleId, stockKeys.result(id));
    tellings.check(id, result);
    if (result === undefined) world.fail("every purchase ends", `${id} has no result`);
    else final.set(id, result);
  }
  checkEnded(world, ended, final);
  for (const result of final.values()) checkReason(world, result, commands);
  checkStock(world, await view.get<SaleStock>(saleId, stockKeys.sale(saleId)), final, events);
  checkMoney(world, parts.payments, final);
  for (const { group, topic } of [
    { group: groups.stock, topic: stockCommands },
    { group: groups.risk, topic: purchaseRequests },
  ]) {
    const dead = await queue.deadLetters(group, topic as unknown as Topic<unknown>, 1);
    if (dead[0] !== undefined) world.fail("nothing is dead-lettered", dead[0].reason);
  }
  return { results: final, commands, counts: countsOf(final, commands, events, parts.payments) };
}

function checkEnded(
  world: World,
  ended: readonly Message<PurchaseEnded>[],
  final: ReadonlyMap<PurchaseId, PurchaseResult>,
): void {
  const told = new Set<PurchaseId>();
  for (const { value } of ended) {
    const { purchaseId } = value;
    if (told.has(purchaseId)) world.fail("one result per purchase", `${purchaseId} ended twice`);
    told.add(purchaseId);
    const result = final.get(purchaseId);
    const isSame =
      result?.outcome === value.outcome &&
      result.position === value.position &&
      result.decidedAtMs === value.decidedAtMs;
    if (!isSame) world.fail("a result is as it was announced", `${purchaseId}: ${JSON.stringify([value, result])}`);
  }
  for (const id of final.keys()) if (!told.has(id)) world.fail("every result is announced", id);
}

/** Each result names the message that it was decided for; work is done only in time. */
function checkReason(world: World, result: PurchaseResult, commands: readonly Message<StockCommand>[]): void {
  const { purchaseId, position, outcome, decidedAtMs } = result;
  const value = commands.find(({ offset, value: { saleId: of } }) => offset === position && of === saleId)?.value;
  if (value === undefined || !("purchaseId" in value) || value.purchaseId !== purchaseId) {
    world.fail("a result names its message", `${purchaseId} at ${position}: ${JSON.stringify(value)}`);
    return;
  }
  if (value.type === "resolve") {
    if (outcome !== "expired") world.fail("a resolve decides nothing but expired", `${purchaseId}: ${outcome}`);
    return;
  }
  const isLate = decidedAtMs > value.decideByMs;
  if (isLate !== (outcome === "expired"))
    world.fail("expired is what is decided late, and nothing else", `${purchaseId}: ${outcome}, late: ${isLate}`);
}

function checkStock(
  world: World,
  sale: SaleStock | undefined,
  final: ReadonlyMap<PurchaseId, PurchaseResult>,
  events: readonly Message<ReservationEvent>[],
): void {
  if (sale === undefined) {
    world.fail("the sale is there", "it is not");
    return;
  }
  const { available, reserved, sold, terms } = sale;
  const sum = (state: string): number =>
    [...final.values()].reduce((units, one) => units + (one.reservation?.state === state ? one.quantity : 0), 0);
  const isConserved = available + reserved + sold === terms.stock && Math.min(available, reserved, sold) >= 0;
  const isCounted = reserved === sum("reserved") && sold === sum("sold");
  if (!isConserved || !isCounted)
    world.fail("stock is conserved", JSON.stringify({ available, reserved, sold, results: [...final.values()] }));
  const ends = new Map<string, string[]>();
  for (const { value } of events) {
    const { available: free, reserved: held, sold: gone } = value.stockAfter;
    if (free + held + gone !== terms.stock || Math.min(free, held, gone) < 0)
      world.fail("nothing is oversold, at any moment", JSON.stringify(value));
    if (value.type === "pay-refused") continue;
    const of = ends.get(value.reservationId) ?? [];
    ends.set(value.reservationId, [...of, value.type === "released" ? value.cause : value.type]);
  }
  for (const { purchaseId, reservation } of final.values()) {
    const wanted = reservation === undefined ? "" : `reserved,${reservation.state}`;
    const found = (ends.get(purchaseId) ?? []).join();
    if (found !== wanted) world.fail("a reservation ends once", `${purchaseId}: ${found}, not ${wanted}`);
  }
}

/** Captured exactly where it paid for what is sold, else let go. */
function checkMoney(
  world: World,
  payments: readonly HeldPayment[],
  final: ReadonlyMap<PurchaseId, PurchaseResult>,
): void {
  const paidBy = new Set<string>();
  for (const { reservation } of final.values())
    if (reservation?.state === "sold") paidBy.add(reservation.paymentId ?? `nobody paid ${reservation.id}`);
  for (const { paymentId, state } of payments) {
    const wanted = paidBy.delete(paymentId) ? "captured" : "voided";
    if (state !== wanted) world.fail("captured exactly where sold", `${paymentId} is ${state}, not ${wanted}`);
  }
  if (paidBy.size > 0) world.fail("captured exactly where sold", `no money is held for ${[...paidBy].join()}`);
}

function countsOf(
  final: ReadonlyMap<PurchaseId, PurchaseResult>,
  commands: readonly Message<StockCommand>[],
  events: readonly Message<ReservationEvent>[],
  payments: readonly HeldPayment[],
): Record<string, number> {
  const counts: Record<string, number> = {};
  const count = (what: string): void => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  for (const { purchaseId, outcome, position, reservation, fingerprint, decidedAtMs } of final.values()) {
    count(outcome);
    if (reservation !== undefined) count(reservation.state);
    if (outcome === "expired") count(fingerprint === undefined ? "expired by resolve" : "expired by a late worker");
    const of = commands.filter(({ value }) => "purchaseId" in value && value.purchaseId === purchaseId);
    const late = of.filter(({ offset }) => offset > position);
    if (fingerprint === undefined && late.some(({ value }) => value.type === "purchase"))
      count("originals behind their resolve");
    if (fingerprint !== undefined && late.some(({ value }) => value.type === "resolve"))
      count("resolves behind their original");
    if (late.some(({ value }) => value.type === "purchase")) count("answered again from the result");
    const decidedFor = of.find(({ offset }) => offset === position)?.value;
    if (outcome === "won" && decidedFor?.type === "purchase" && decidedFor.decideByMs === decidedAtMs)
      count("won at the deadline itself");
  }
  for (const { value } of events) if (value.type === "pay-refused") count("payments refused");
  for (const { state } of payments) count(state);
  return counts;
}

async function all<T>(queue: Queue, topic: Topic<T>): Promise<readonly Message<T>[]> {
  const messages: Message<T>[] = [];
  for (let partition = 0; partition < topic.partitions; partition++)
    messages.push(...(await queue.browse(topic, partition, 0, 100_000)));
  return messages;
}
