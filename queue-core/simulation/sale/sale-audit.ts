/**
 * The oracle of `process`: reads the decisions back from the log, at the end.
 *
 * Checked: each message is decided once, in order, by nobody stale (the chain of causes has no gap and no fork); a
 * purchase has one answer, and it is what the buyer was told; the stock of each sale is conserved from event to event,
 * never oversold, and ends as the state says; each reservation has one expiry, not early.
 */
import { stateNamespace } from "../../src/namespaces.ts";
import { partitionOfKey } from "../../src/topic.ts";
import type { CommitHistory } from "../commit-history.ts";
import type { HeldMessage } from "../engine-content.ts";
import type { World } from "../world.ts";
import type { Answers } from "./answers.ts";
import { isBroken, redrivenFor } from "./deliveries.ts";
import {
  type AnyTopic,
  type Cause,
  type Command,
  commands,
  events,
  piecesOf,
  requests,
  type SaleEvent,
  type Stock,
} from "./topics.ts";

interface Logged<T> {
  readonly value: T;
  readonly message: HeldMessage;
}

export function auditSale(
  world: World,
  history: CommitHistory,
  answers: Answers,
): { readonly won: number; readonly events: number } {
  const decided = all<SaleEvent>(history, events);
  const asked = all<Command>(history, commands);
  const decisions = asked.flatMap(({ value }) => (value.kind === "decide" ? [value.cause] : []));
  checkChain(world, history, { group: "risk", topic: requests, causes: decisions });
  checkChain(world, history, { group: "stock", topic: commands, causes: decided.map(({ value }) => value.cause) });
  checkAnswers(world, history, decided, answers);
  for (const sale of new Set(decided.map(({ value }) => value.sale))) {
    checkStock(
      world,
      history,
      sale,
      decided.filter(({ value }) => value.sale === sale).map(({ value }) => value),
    );
  }
  checkExpiries(world, asked, decided);
  return { won: decided.filter(({ value }) => value.kind === "won").length, events: decided.length };
}

/** Originals in log order, partition by partition. */
function all<T>(history: CommitHistory, topic: AnyTopic): readonly Logged<T>[] {
  const found: Logged<T>[] = [];
  for (let partition = 0; partition < topic.partitions; partition++) {
    for (const message of history.messages(topic.name, partition).values()) {
      if (redrivenFor(message) === undefined) found.push({ value: JSON.parse(message.value.toString()) as T, message });
    }
  }
  return found;
}

function checkChain(
  world: World,
  history: CommitHistory,
  { group, topic, causes }: { group: string; topic: AnyTopic; causes: readonly Cause[] },
): void {
  for (let partition = 0; partition < topic.partitions; partition++) {
    const own = causes.filter((cause) => cause.partition === partition).sort((a, b) => a.offset - b.offset);
    const due = [...history.messages(topic.name, partition)]
      .filter(([, message]) => !isBroken(message) && (redrivenFor(message) ?? group) === group)
      .map(([offset]) => offset);
    const place = `${group} on ${topic.name}/${partition}`;
    for (const [index, offset] of due.entries()) {
      const cause = own[index];
      const previous = due[index - 1] ?? -1;
      if (cause?.offset !== offset) {
        world.fail("each message is decided exactly once", `${place}: ${offset} was due, ${cause?.offset} was decided`);
        return;
      }
      if (cause.previous !== previous)
        world.fail("decisions see those before them", `${place}: ${offset} saw ${cause.previous}, not ${previous}`);
    }
    if (own.length > due.length)
      world.fail("each message is decided exactly once", `${place}: ${own.length} of ${due.length}`);
  }
}

function checkAnswers(
  world: World,
  history: CommitHistory,
  decided: readonly Logged<SaleEvent>[],
  answers: Answers,
): void {
  const first = new Map<string, string>();
  for (const { value } of decided) {
    if (value.answer === undefined) continue;
    const answer = JSON.stringify(value.answer);
    const known = first.get(value.purchase);
    if (known === undefined) first.set(value.purchase, answer);
    else if (known !== answer) world.fail("a purchase has one answer", `${value.purchase}: ${known} and ${answer}`);
    const partition = partitionOfKey(value.sale, commands.partitions);
    const kept = history.content.entry(stateNamespace("stock", commands.name, partition), `result:${value.purchase}`);
    if (kept?.toString() !== answer)
      world.fail("state holds what was decided", `result of ${value.purchase}: ${kept?.toString()}, not ${answer}`);
  }
  for (const [purchase, answer] of answers.all) {
    if (first.get(purchase) !== JSON.stringify(answer))
      world.fail(
        "a reply is never contradicted",
        `${purchase} was told ${JSON.stringify(answer)}, decided ${first.get(purchase)}`,
      );
  }
}

function checkStock(world: World, history: CommitHistory, sale: string, decided: readonly SaleEvent[]): void {
  const pieces = piecesOf(sale);
  let stock: Stock = { version: 0, available: pieces, reserved: 0, sold: 0 };
  for (const event of decided) {
    const next = after(stock, event.kind);
    const place = `${sale} after ${event.kind} of ${event.purchase}`;
    if (JSON.stringify(next) !== JSON.stringify(event.stock))
      world.fail("stock is conserved", `${place}: ${JSON.stringify(event.stock)}, not ${JSON.stringify(next)}`);
    if (next.available < 0 || next.available + next.reserved + next.sold !== pieces)
      world.fail("nothing is oversold", `${place}: ${JSON.stringify(next)} of ${pieces}`);
    if (event.answer?.decision === "sold out" && event.kind === "refused" && stock.available > 0)
      world.fail("nobody is refused for stock that is there", `${place}: ${JSON.stringify(stock)}`);
    stock = next;
  }
  const namespace = stateNamespace("stock", commands.name, partitionOfKey(sale, commands.partitions));
  const kept = history.content.entry(namespace, `sale:${sale}`)?.toString();
  if (stock.version > 0 && kept !== JSON.stringify(stock))
    world.fail("state holds what was decided", `${sale}: ${kept}, not ${JSON.stringify(stock)}`);
}

function after(stock: Stock, kind: SaleEvent["kind"]): Stock {
  const { available, reserved, sold } = stock;
  const version = stock.version + 1;
  if (kind === "won") return { version, available: available - 1, reserved: reserved + 1, sold };
  if (kind === "paid") return { version, available, reserved: reserved - 1, sold: sold + 1 };
  if (kind === "released") return { version, available: available + 1, reserved: reserved - 1, sold };
  return stock;
}

function checkExpiries(world: World, asked: readonly Logged<Command>[], decided: readonly Logged<SaleEvent>[]): void {
  const expiries = new Map<string, number>();
  for (const { value, message } of asked) {
    if (value.kind !== "expire") continue;
    expiries.set(value.purchase, (expiries.get(value.purchase) ?? 0) + 1);
    if ((message.timestampMs ?? value.dueMs) < value.dueMs)
      world.fail(
        "a delayed message is not early",
        `expiry of ${value.purchase} at ${message.timestampMs}, due ${value.dueMs}`,
      );
  }
  for (const { value } of decided) {
    if (value.kind === "won" && expiries.get(value.purchase) !== 1)
      world.fail(
        "a delayed message comes once",
        `expiry of ${value.purchase}: ${expiries.get(value.purchase) ?? 0} times`,
      );
  }
}
