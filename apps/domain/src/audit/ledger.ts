/**
 * The log, put in order once: by sale, purchase and reservation, each in O(1) reach of every invariant.
 *
 * One sale's commands lie in one partition of `stock-commands`, and each decision names the offset of the command
 * that it answers (its position). So the commands in offset order, with the results and stock changes filed at
 * their positions, are the life of the sale's stock, and `replay` walks it without sorting.
 */
import type {
  OrderEvent,
  PurchaseEnded,
  PurchaseRequest,
  ReservationEvent,
  SaleTerms,
  StockCommand,
} from "../messages.ts";
import type { Evidence, Looked, Recorded, TopicEvidence } from "./evidence.ts";

export interface SaleAccount {
  readonly saleId: string;
  /** Terms of the first `open-sale`; undefined where the log has none (then nothing can be replayed). */
  terms: SaleTerms | undefined;
  readonly commands: Recorded<StockCommand>[];
  /** `reserved`, `sold` and `released` by the position that decided them: one each, or something is wrong. */
  readonly changesAt: Map<number, Recorded<ReservationEvent>[]>;
  readonly resultsAt: Map<number, Recorded<PurchaseEnded>[]>;
}

export interface PurchaseTrace {
  readonly purchaseId: string;
  /** The first `purchase` message; undefined where only a `resolve` was ever published. */
  request: PurchaseRequest | undefined;
  requests: number;
  /** Requests that risk had passed on before anything downstream was read. */
  settledRequests: number;
  commands: number;
  settledCommands: number;
  readonly results: Recorded<PurchaseEnded>[];
  /** Every event of its reservation, in log order. */
  readonly events: Recorded<ReservationEvent>[];
}

export interface Ledger {
  readonly sales: ReadonlyMap<string, SaleAccount>;
  readonly purchases: ReadonlyMap<string, PurchaseTrace>;
  /** Order events by reservation, in log order. */
  readonly orders: ReadonlyMap<string, readonly Recorded<OrderEvent>[]>;
}

export interface Units {
  readonly available: number;
  readonly reserved: number;
  readonly sold: number;
}

/** One command of a sale with what it decided, and the units before and after as the events add up. */
export interface Step {
  readonly position: number;
  readonly command: Recorded<StockCommand>;
  readonly before: Units;
  readonly after: Units;
  readonly changes: readonly Recorded<ReservationEvent>[];
  readonly results: readonly Recorded<PurchaseEnded>[];
}

export const messagesOf = <T>(source: Looked<TopicEvidence<T>>): readonly Recorded<T>[] =>
  source.looked ? source.found.messages : [];

export function openLedger(evidence: Evidence): Ledger {
  const sales = new Map<string, SaleAccount>();
  const purchases = new Map<string, PurchaseTrace>();
  const orders = new Map<string, Recorded<OrderEvent>[]>();
  for (const message of messagesOf(evidence.log.requests)) {
    const trace = traceOf(purchases, message.value.purchaseId);
    trace.requests++;
    if (message.settled) trace.settledRequests++;
    if (message.value.type === "purchase") trace.request ??= message.value;
  }
  for (const message of messagesOf(evidence.log.commands)) fileCommand(message, sales, purchases);
  for (const message of messagesOf(evidence.log.results)) {
    traceOf(purchases, message.value.purchaseId).results.push(message);
    push(accountOf(sales, message.value.saleId).resultsAt, message.value.position, message);
  }
  for (const message of messagesOf(evidence.log.reservations)) {
    traceOf(purchases, message.value.purchaseId).events.push(message);
    if (message.value.type === "pay-refused") continue;
    push(accountOf(sales, message.value.saleId).changesAt, message.value.position, message);
  }
  for (const message of messagesOf(evidence.log.orders)) push(orders, message.value.reservationId, message);
  return { sales, purchases, orders };
}

/** Walks a sale's life; yields nothing where the terms are unknown. */
export function* replay(account: SaleAccount): Generator<Step> {
  if (account.terms === undefined) return;
  const { stock } = account.terms;
  let reserved = 0;
  let sold = 0;
  const units = (): Units => ({ available: stock - reserved - sold, reserved, sold });
  for (const command of account.commands) {
    const before = units();
    const changes = account.changesAt.get(command.offset) ?? [];
    for (const { value } of changes) {
      reserved += value.type === "reserved" ? value.quantity : -value.quantity;
      if (value.type === "sold") sold += value.quantity;
    }
    const results = account.resultsAt.get(command.offset) ?? [];
    yield { position: command.offset, command, before, after: units(), changes, results };
  }
}

function fileCommand(
  message: Recorded<StockCommand>,
  sales: Map<string, SaleAccount>,
  purchases: Map<string, PurchaseTrace>,
): void {
  const command = message.value;
  const account = accountOf(sales, command.saleId);
  account.commands.push(message);
  if (command.type === "open-sale") account.terms ??= command.terms;
  if (command.type !== "purchase" && command.type !== "resolve") return;
  const trace = traceOf(purchases, command.purchaseId);
  trace.commands++;
  if (message.settled) trace.settledCommands++;
}

function accountOf(sales: Map<string, SaleAccount>, saleId: string): SaleAccount {
  const known = sales.get(saleId);
  if (known !== undefined) return known;
  const account: SaleAccount = {
    saleId,
    terms: undefined,
    commands: [],
    changesAt: new Map(),
    resultsAt: new Map(),
  };
  sales.set(saleId, account);
  return account;
}

function traceOf(purchases: Map<string, PurchaseTrace>, purchaseId: string): PurchaseTrace {
  const known = purchases.get(purchaseId);
  if (known !== undefined) return known;
  const trace: PurchaseTrace = {
    purchaseId,
    request: undefined,
    requests: 0,
    settledRequests: 0,
    commands: 0,
    settledCommands: 0,
    results: [],
    events: [],
  };
  purchases.set(purchaseId, trace);
  return trace;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}
