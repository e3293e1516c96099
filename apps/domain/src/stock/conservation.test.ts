import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PaymentId, PurchaseId, ReservationId, SaleId, UserId } from "../ids.ts";
import {
  type PurchaseEnded,
  type PurchaseResult,
  type ReservationEvent,
  type SaleStock,
  type SaleTerms,
  type StockCommand,
  stockKeys,
} from "../messages.ts";
import { StageRehearsal } from "../testing/stage-rehearsal.ts";
import { decideStock, stockEntriesOf } from "./decide.ts";

/**
 * Random histories over few sales, users and ids, so that duplicates, reorderings and races are the rule: what is
 * decided must keep every invariant of the stock stage after every single command.
 */
const startMs = 1_000_000;
const saleIds = ["s_1", "s_2"] as const;
const purchaseNames = ["a", "b", "c", "d", "e", "f"] as const;
const stepMs = 1_000;

const termsOf = (saleId: string, stock: number, perUserLimit: number): SaleTerms => ({
  saleId: saleId as SaleId,
  productId: "kettle",
  title: "Kettle",
  priceCents: 500,
  stock,
  perUserLimit,
  startsAtMs: startMs,
  endsAtMs: startMs + 60 * stepMs,
  paymentTimeoutMs: 8 * stepMs,
  decisionCostMs: 0,
});

interface Step {
  readonly kind: "purchase" | "resolve" | "pay" | "cancel" | "expire" | "close-sale";
  readonly sale: (typeof saleIds)[number];
  readonly name: (typeof purchaseNames)[number];
  readonly user: 0 | 1;
  readonly quantity: number;
  readonly payment: 1 | 2;
  readonly refused: boolean;
  readonly advance: number;
}
const purchaseHeavy = ["purchase", "purchase", "purchase", "resolve", "pay", "pay", "cancel", "expire"] as const;
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 40, arbitrary: fc.constantFrom(...purchaseHeavy) },
    { weight: 1, arbitrary: fc.constant("close-sale" as const) },
  ),
  sale: fc.constantFrom(...saleIds),
  name: fc.constantFrom(...purchaseNames),
  user: fc.constantFrom(0, 1),
  quantity: fc.integer({ min: 1, max: 3 }),
  payment: fc.constantFrom(1, 2),
  refused: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  advance: fc.constantFrom(0, 0, 0, 1, 5),
});

/** A purchase id belongs to one user, as its HMAC makes it. */
const ownerOf = (name: string): UserId => (name < "d" ? "u_1" : "u_2") as UserId;

function commandOf(it: Step, nowMs: number): StockCommand {
  const saleId = it.sale as SaleId;
  const id = `${it.sale}.${it.name}`;
  const userId = ownerOf(it.name);
  const reservationId = id as ReservationId;
  switch (it.kind) {
    case "purchase":
      return {
        type: "purchase",
        purchaseId: id as PurchaseId,
        saleId,
        userId,
        quantity: it.quantity,
        fingerprint: `q${it.quantity}`,
        requestedAtMs: nowMs,
        decideByMs: nowMs + it.advance * stepMs,
        risk: it.refused ? { verdict: "refuse", reason: "velocity", scored: true } : { verdict: "pass", scored: true },
      };
    case "resolve":
      return { type: "resolve", purchaseId: id as PurchaseId, saleId, userId };
    case "pay":
      return { type: "pay", saleId, reservationId, paymentId: `p_${it.name}${it.payment}` as PaymentId };
    case "cancel":
      return { type: "cancel", saleId, reservationId, userId: it.user === 0 ? userId : ("u_3" as UserId) };
    case "expire":
      return { type: "expire", saleId, reservationId, userId };
    case "close-sale":
      return { type: "close-sale", saleId };
  }
}

class History {
  readonly stage = new StageRehearsal<StockCommand>({
    keys: stockEntriesOf,
    decide: (message, state, nowMs) => decideStock(message, state, { nowMs }),
  });
  readonly ended: PurchaseEnded[] = [];
  readonly events: ReservationEvent[] = [];
  delayed: { readonly command: StockCommand; readonly dueMs: number }[] = [];
  nowMs = startMs;

  deliver(command: StockCommand): void {
    for (const { topic, value, delayMs } of this.stage.deliver(command, { nowMs: this.nowMs }).emitted) {
      if (topic === "results") this.ended.push(value as PurchaseEnded);
      if (topic === "reservations") this.events.push(value as ReservationEvent);
      if (topic === "stock-commands")
        this.delayed.push({ command: value as StockCommand, dueMs: this.nowMs + (delayMs ?? 0) });
    }
  }

  /** Moves time on, and delivers what is due by then. */
  advance(steps: number): void {
    this.nowMs += steps * stepMs;
    const due = this.delayed.filter(({ dueMs }) => dueMs <= this.nowMs);
    this.delayed = this.delayed.filter(({ dueMs }) => dueMs > this.nowMs);
    for (const { command } of due) this.deliver(command);
  }

  sale(saleId: string): SaleStock {
    return this.stage.entry<SaleStock>(stockKeys.sale(saleId)) as SaleStock;
  }

  results(): PurchaseResult[] {
    return saleIds.flatMap((sale) =>
      purchaseNames.flatMap((name) => this.stage.entry<PurchaseResult>(stockKeys.result(`${sale}.${name}`)) ?? []),
    );
  }
}

/** After every command, so thousands of times a run: plain comparisons. */
function checkAll(history: History, perUserLimit: number): void {
  const results = history.results();
  for (const saleId of saleIds) {
    const { available, reserved, sold, terms } = history.sale(saleId);
    const unitsIn = (state: string, user?: string) =>
      results
        .filter((result) => result.saleId === saleId && (user === undefined || result.userId === user))
        .reduce((sum, result) => sum + (result.reservation?.state === state ? result.quantity : 0), 0);
    must(available + reserved + sold === terms.stock, "conservation");
    must(Math.min(available, reserved, sold) >= 0, "no oversell");
    must(reserved === unitsIn("reserved") && sold === unitsIn("sold"), "results agree with stock");
    for (const user of ["u_1", "u_2"]) {
      must(unitsIn("reserved", user) + unitsIn("sold", user) <= perUserLimit, "limit");
    }
  }
}

function must(holds: boolean, invariant: string): void {
  if (!holds) throw new Error(`broken: ${invariant}`);
}

function checkEvents(history: History): void {
  const ids = history.ended.map(({ purchaseId }) => purchaseId);
  expect(new Set(ids).size, "one result per purchase").toBe(ids.length);
  for (const { outcome, purchaseId } of history.ended) {
    const kept = history.stage.entry<PurchaseResult>(stockKeys.result(purchaseId));
    expect(kept?.outcome, "a told outcome stays").toBe(outcome);
  }
  const byReservation = Map.groupBy(history.events, (event) => event.reservationId);
  for (const events of byReservation.values()) {
    const changes = events.filter(({ type }) => type !== "pay-refused");
    expect(changes[0]?.type, "a reservation begins").toBe("reserved");
    expect(changes.length, "and ends at most once").toBeLessThanOrEqual(2);
    expect(changes.map(({ version }) => version)).toEqual([1, 2].slice(0, changes.length));
    const paymentsOf = (type: "sold" | "pay-refused") =>
      new Set(events.flatMap((event) => (event.type === type && "paymentId" in event ? [event.paymentId] : [])));
    expect(
      [...paymentsOf("sold")].filter((id) => paymentsOf("pay-refused").has(id)),
      "sold or refused",
    ).toEqual([]);
  }
  for (const saleId of saleIds) {
    const last = history.events.filter((event) => event.saleId === saleId).at(-1);
    if (last === undefined) continue;
    const { available, reserved, sold } = history.sale(saleId);
    expect(last.stockAfter, "events replay to the stock").toEqual({ available, reserved, sold });
  }
}

describe("random histories of a sale", () => {
  it("conserve stock, keep the limit, end each purchase once and each reservation once", () => {
    const run = (steps: readonly Step[], stock: number, perUserLimit: number): void => {
      const history = new History();
      for (const saleId of saleIds) {
        history.deliver({ type: "open-sale", saleId: saleId as SaleId, terms: termsOf(saleId, stock, perUserLimit) });
      }
      for (const it of steps) {
        history.advance(it.advance);
        history.deliver(commandOf(it, history.nowMs));
        checkAll(history, perUserLimit);
      }
      history.advance(200);
      checkAll(history, perUserLimit);
      checkEvents(history);
      for (const saleId of saleIds) expect(history.sale(saleId).reserved, "every reservation ended").toBe(0);
    };
    const histories = fc.array(step, { minLength: 1, maxLength: 60 });
    fc.assert(fc.property(histories, fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 4 }), run), {
      numRuns: 300,
    });
  });
});
