/**
 * The stock stage's decisions, command by command.
 *
 * Length: it is a table, a row or more for each command and each reason.
 */
import { describe, expect, it } from "vitest";
import type { PaymentId, PurchaseId, ReservationId, SaleId, UserId } from "../ids.ts";
import {
  type BuyerUnits,
  buyerPurchasesMax,
  type JudgedPurchase,
  type PurchaseResult,
  type SaleStock,
  type SaleTerms,
  type StockCommand,
  type StockReply,
  stockKeys,
} from "../messages.ts";
import { type Committed, StageRehearsal } from "../testing/stage-rehearsal.ts";
import { decideStock, poisonStock, stockEntriesOf } from "./decide.ts";
import { resultRetentionMs } from "./sale.ts";

const opensAtMs = 1_000_000;
const terms: SaleTerms = {
  saleId: "s_1" as SaleId,
  productId: "kettle",
  title: "Kettle",
  priceCents: 1_999,
  stock: 3,
  perUserLimit: 2,
  startsAtMs: opensAtMs,
  endsAtMs: opensAtMs + 600_000,
  paymentTimeoutMs: 60_000,
  decisionCostMs: 0,
};
const { saleId } = terms;
const nowMs = opensAtMs + 1_000;
const ann = "u_ann" as UserId;
const bob = "u_bob" as UserId;

const newStage = () =>
  new StageRehearsal<StockCommand>({
    keys: stockEntriesOf,
    decide: (message, state, now) => decideStock(message, state, { nowMs: now }),
  });

function openStage(part: Partial<SaleTerms> = {}) {
  const stage = newStage();
  stage.deliver({ type: "open-sale", saleId, terms: { ...terms, ...part } }, { nowMs: opensAtMs - 1 });
  return stage;
}

const idOf = (name: string): PurchaseId => `${saleId}.${name}` as PurchaseId;
const reservationOf = (name: string): ReservationId => `${saleId}.${name}` as ReservationId;

const purchase = (name: string, part: Partial<JudgedPurchase> = {}): JudgedPurchase => ({
  type: "purchase",
  purchaseId: idOf(name),
  saleId,
  userId: ann,
  quantity: 1,
  fingerprint: "q1",
  requestedAtMs: nowMs,
  decideByMs: nowMs + 30_000,
  risk: { verdict: "pass", scored: true },
  ...part,
});
const resolve = (name: string): StockCommand => ({ type: "resolve", purchaseId: idOf(name), saleId, userId: ann });
const pay = (name: string, paymentId = "p_1"): StockCommand => ({
  type: "pay",
  saleId,
  reservationId: reservationOf(name),
  paymentId: paymentId as PaymentId,
});
const cancel = (name: string, userId = ann): StockCommand => ({
  type: "cancel",
  saleId,
  reservationId: reservationOf(name),
  userId,
});
const expire = (name: string): StockCommand => ({
  type: "expire",
  saleId,
  reservationId: reservationOf(name),
  userId: ann,
});

const resultIn = ({ reply }: Committed): PurchaseResult => (reply as Extract<StockReply, { type: "result" }>).result;
const typesOf = ({ emitted }: Committed) =>
  emitted.map(({ topic, value }) => `${topic}:${(value as { type?: string }).type ?? "ended"}`);
const unitsOf = (stage: StageRehearsal<StockCommand>) => {
  const sale = stage.entry<SaleStock>(stockKeys.sale(saleId));
  return [sale?.available, sale?.reserved, sale?.sold];
};
const nothing = { written: [], emitted: [] };

describe("opening and closing a sale", () => {
  it("opens a sale once, and answers a repeat with the sale as it is, whatever terms it brings", () => {
    const stage = openStage();
    stage.deliver(purchase("a"), { nowMs });
    const again = stage.deliver({ type: "open-sale", saleId, terms: { ...terms, stock: 900 } }, { nowMs });
    expect(again).toMatchObject({ ...nothing, reply: { type: "sale", sale: { available: 2, reserved: 1, terms } } });
  });

  it("a closed sale takes no requests, cannot be opened again, and still lets its reservations be paid", () => {
    const stage = openStage();
    stage.deliver(purchase("a"), { nowMs });
    stage.deliver({ type: "close-sale", saleId }, { nowMs });
    stage.deliver({ type: "open-sale", saleId, terms }, { nowMs });
    expect(stage.deliver({ type: "close-sale", saleId }, { nowMs })).toMatchObject({
      ...nothing,
      reply: { type: "sale", sale: { closed: true } },
    });
    expect(resultIn(stage.deliver(purchase("b"), { nowMs }))).toMatchObject({ reason: "sale-not-open" });
    expect(stage.deliver(pay("a"), { nowMs }).reply).toMatchObject({ applied: true });
  });

  it("closing an unknown sale is answered as not found", () => {
    expect(newStage().deliver({ type: "close-sale", saleId }, { nowMs }).reply).toEqual({ type: "not-found" });
  });

  it("terms that no sale can have are refused whole", () => {
    for (const part of [{ stock: -1 }, { stock: 1.5 }, { perUserLimit: 0 }, { endsAtMs: opensAtMs }]) {
      expect(() => openStage(part)).toThrow("terms that no sale can have");
    }
  });
});

describe("deciding a purchase", () => {
  it("a win reserves the units, tells it once, and sends its own expiry", () => {
    const stage = openStage();
    const [requestedAtMs, judgedAtMs] = [nowMs - 20, nowMs - 5];
    const risk = { verdict: "pass", scored: true, judgedAtMs } as const;
    const won = stage.deliver(purchase("a", { quantity: 2, fingerprint: "q2", requestedAtMs, risk }), { nowMs });
    const payBeforeMs = nowMs + terms.paymentTimeoutMs;
    expect(resultIn(won)).toEqual({
      purchaseId: idOf("a"),
      saleId,
      userId: ann,
      quantity: 2,
      fingerprint: "q2",
      scored: true,
      outcome: "won",
      decidedAtMs: nowMs,
      position: 1,
      reservation: { id: reservationOf("a"), payBeforeMs, state: "reserved", version: 1 },
    });
    expect(won.emitted).toEqual([
      {
        topic: "results",
        value: {
          purchaseId: idOf("a"),
          saleId,
          userId: ann,
          quantity: 2,
          outcome: "won",
          scored: true,
          requestedAtMs,
          decidedAtMs: nowMs,
          position: 1,
        },
      },
      {
        topic: "reservations",
        value: {
          type: "reserved",
          reservationId: reservationOf("a"),
          purchaseId: idOf("a"),
          saleId,
          userId: ann,
          quantity: 2,
          unitPriceCents: 1_999,
          amountCents: 3_998,
          title: "Kettle",
          productId: "kettle",
          version: 1,
          atMs: nowMs,
          position: 1,
          stockAfter: { available: 1, reserved: 2, sold: 0 },
          payBeforeMs,
          requestedAtMs,
          judgedAtMs,
        },
      },
      { topic: "stock-commands", value: expire("a"), delayMs: terms.paymentTimeoutMs },
    ]);
    expect(stage.entry<SaleStock>(stockKeys.sale(saleId))).toMatchObject({
      available: 1,
      reserved: 2,
      sold: 0,
      version: 2,
      asOf: { position: 1, atMs: nowMs },
    });
  });

  const refused: readonly (readonly [string, Partial<JudgedPurchase>, object])[] = [
    ["of an unknown sale", { saleId: "s_2" as SaleId }, { outcome: "rejected", reason: "sale-not-open" }],
    ["made before the sale began", { requestedAtMs: opensAtMs - 1 }, { outcome: "rejected", reason: "sale-not-open" }],
    ["made when the sale ended", { requestedAtMs: terms.endsAtMs }, { outcome: "rejected", reason: "sale-not-open" }],
    ["met after its deadline", { decideByMs: nowMs - 1 }, { outcome: "expired" }],
    [
      "that risk refused",
      { risk: { verdict: "refuse", reason: "velocity", scored: false } },
      { outcome: "rejected", reason: "velocity", scored: false },
    ],
    ["above the user's limit", { quantity: 3 }, { outcome: "rejected", reason: "limit-reached" }],
  ];
  it.each(refused)("a purchase %s changes no stock, and ends once", (_, part, expected) => {
    const stage = openStage();
    const ended = stage.deliver(purchase("a", part), { nowMs });
    expect(resultIn(ended)).toMatchObject(expected);
    expect(resultIn(ended).reservation).toBeUndefined();
    expect(ended.emitted).toEqual([{ topic: "results", value: expect.objectContaining(expected) }]);
    expect(unitsOf(stage)).toEqual([3, 0, 0]);
    expect(stage.deliver(purchase("a", part), { nowMs })).toEqual({ ...nothing, reply: ended.reply });
  });

  it("a request made inside the window is decided although the sale has ended meanwhile", () => {
    const late = purchase("a", { requestedAtMs: terms.endsAtMs - 1, decideByMs: terms.endsAtMs + 10_000 });
    expect(resultIn(openStage().deliver(late, { nowMs: terms.endsAtMs + 5_000 })).outcome).toBe("won");
  });

  it("the limit counts reserved and sold units over all purchases, and units returned count no more", () => {
    const stage = openStage({ stock: 10 });
    for (const name of ["a", "b"]) stage.deliver(purchase(name), { nowMs });
    stage.deliver(pay("a"), { nowMs });
    expect(resultIn(stage.deliver(purchase("c"), { nowMs })).reason).toBe("limit-reached");
    stage.deliver(cancel("b"), { nowMs });
    expect(resultIn(stage.deliver(purchase("d"), { nowMs })).outcome).toBe("won");
    expect(stage.entry<BuyerUnits>(stockKeys.buyer(saleId, ann))).toEqual({
      units: 2,
      purchaseIds: ["a", "b", "c", "d"].map(idOf),
    });
  });

  it("is sold out only for those who want more than there is, at the position it names", () => {
    const stage = openStage();
    stage.deliver(purchase("a", { quantity: 2 }), { nowMs });
    const soldOut = resultIn(stage.deliver(purchase("b", { userId: bob, quantity: 2 }), { nowMs }));
    expect(soldOut).toMatchObject({ outcome: "sold_out", position: 2 });
    expect(resultIn(stage.deliver(purchase("c", { userId: bob }), { nowMs })).outcome).toBe("won");
  });

  it("a winner who asks again is told so, even if risk refuses now or the deadline is over", () => {
    const stage = openStage();
    const won = stage.deliver(purchase("a"), { nowMs });
    const again = purchase("a", { risk: { verdict: "refuse", reason: "blocked", scored: true } });
    expect(stage.deliver(again, { nowMs: nowMs + 300_000 })).toEqual({ ...nothing, reply: won.reply });
  });

  it("a buyer's entry names the newest purchases only, so that it cannot grow without end", () => {
    const stage = openStage();
    for (let index = 0; index < buyerPurchasesMax + 3; index++) stage.deliver(purchase(`n${index}`), { nowMs });
    const named = stage.entry<BuyerUnits>(stockKeys.buyer(saleId, ann))?.purchaseIds;
    expect(named).toHaveLength(buyerPurchasesMax);
    expect(named?.[0]).toBe(idOf("n3"));
  });

  it.each([0, -1, 1.5])("a quantity of %s is no purchase, and moves nothing", (quantity) => {
    const stage = openStage();
    expect(() => stage.deliver(purchase("a", { quantity }), { nowMs })).toThrow("no purchase");
    expect(unitsOf(stage)).toEqual([3, 0, 0]);
  });
});

describe("poison", () => {
  const stage = new StageRehearsal<StockCommand>({
    keys: stockEntriesOf,
    decide: (message, state, now) => poisonStock(message, state, { nowMs: now }),
  });

  it.each([purchase("a"), resolve("b")])("a $type whose decision threw still ends, once", (command) => {
    const ended = stage.deliver(command, { nowMs });
    expect(resultIn(ended)).toMatchObject({ outcome: "rejected", reason: "poison" });
    expect(typesOf(ended)).toEqual(["results:ended"]);
    expect(stage.deliver(command, { nowMs })).toEqual({ ...nothing, reply: ended.reply });
  });

  it("any other command leaves nothing behind, so that redriving it decides it afresh", () => {
    for (const command of [pay("a"), cancel("a"), expire("a")]) {
      expect(stage.deliver(command, { nowMs })).toEqual({ ...nothing, reply: undefined });
    }
  });
});

describe("resolving a purchase that never answered", () => {
  it("returns the result where there is one", () => {
    const stage = openStage();
    const won = stage.deliver(purchase("a"), { nowMs });
    expect(stage.deliver(resolve("a"), { nowMs })).toEqual({ ...nothing, reply: won.reply });
  });

  it("records expired where there is none, and the original that comes later finds it", () => {
    const stage = openStage();
    const resolved = stage.deliver(resolve("a"), { nowMs });
    expect(resultIn(resolved)).toMatchObject({ outcome: "expired", quantity: 0, userId: ann });
    expect(typesOf(resolved)).toEqual(["results:ended"]);
    expect(stage.deliver(purchase("a"), { nowMs })).toEqual({ ...nothing, reply: resolved.reply });
    expect(unitsOf(stage)).toEqual([3, 0, 0]);
  });

  it("invents no end for a purchase whose result may have been forgotten", () => {
    const stage = openStage();
    stage.deliver(purchase("a"), { nowMs });
    const forgottenAtMs = terms.endsAtMs + terms.paymentTimeoutMs + resultRetentionMs;
    expect(stage.deliver(resolve("a"), { nowMs: forgottenAtMs - 1 }).reply).toMatchObject({
      result: { outcome: "won" },
    });
    expect(stage.deliver(resolve("a"), { nowMs: forgottenAtMs })).toEqual({ ...nothing, reply: { type: "not-found" } });
  });
});

describe("ending a reservation", () => {
  const dueMs = nowMs + terms.paymentTimeoutMs;
  function withReservation() {
    const stage = openStage();
    stage.deliver(purchase("a"), { nowMs });
    return stage;
  }

  it("a payment sells it, and its repeat is applied without doing anything", () => {
    const stage = withReservation();
    const sold = stage.deliver(pay("a"), { nowMs: nowMs + 5 });
    expect(sold.reply).toMatchObject({
      type: "reservation",
      applied: true,
      result: { reservation: { state: "sold", version: 2, paymentId: "p_1", endedAtMs: nowMs + 5 } },
    });
    expect(sold.emitted).toMatchObject([
      {
        topic: "reservations",
        value: { type: "sold", version: 2, stockAfter: { available: 2, reserved: 0, sold: 1 } },
      },
    ]);
    expect(stage.deliver(pay("a"), { nowMs: dueMs })).toEqual({ ...nothing, reply: sold.reply });
  });

  it("a second payment of a sold reservation is refused, so that it gets voided", () => {
    const stage = withReservation();
    stage.deliver(pay("a"), { nowMs });
    const second = stage.deliver(pay("a", "p_2"), { nowMs });
    expect(typesOf(second)).toEqual(["reservations:pay-refused"]);
    expect(second).toMatchObject({
      written: [],
      reply: { applied: false, result: { reservation: { paymentId: "p_1" } } },
    });
  });

  it.each([
    ["cancelled", cancel("a"), nowMs],
    ["payment_expired", expire("a"), dueMs],
  ] as const)(
    "a reservation that is %s returns its units once, and a payment that comes after is refused",
    (cause, command, atMs) => {
      const stage = withReservation();
      const released = stage.deliver(command, { nowMs: atMs });
      expect(released.emitted).toMatchObject([
        { value: { type: "released", cause, version: 2, stockAfter: { available: 3, reserved: 0, sold: 0 } } },
      ]);
      for (const repeat of [command, cancel("a"), expire("a")]) {
        expect(stage.deliver(repeat, { nowMs: dueMs })).toMatchObject({ ...nothing, reply: { applied: false } });
      }
      expect(typesOf(stage.deliver(pay("a"), { nowMs: atMs }))).toEqual(["reservations:pay-refused"]);
      expect(unitsOf(stage)).toEqual([3, 0, 0]);
      expect(stage.entry<BuyerUnits>(stockKeys.buyer(saleId, ann))?.units).toBe(0);
    },
  );

  it("a sold reservation neither expires nor can be cancelled", () => {
    const stage = withReservation();
    stage.deliver(pay("a"), { nowMs });
    for (const command of [cancel("a"), expire("a")]) {
      expect(stage.deliver(command, { nowMs: dueMs })).toMatchObject({ ...nothing, reply: { applied: false } });
    }
    expect(unitsOf(stage)).toEqual([2, 0, 1]);
  });

  it("a payment after its due time still wins where no expiry was committed before", () => {
    const stage = withReservation();
    expect(stage.deliver(pay("a"), { nowMs: dueMs + 1 }).reply).toMatchObject({ applied: true });
  });

  it("an expiry that comes early waits for the rest of the time", () => {
    const stage = withReservation();
    const early = stage.deliver(expire("a"), { nowMs: dueMs - 7 });
    expect(early).toMatchObject({
      written: [],
      emitted: [{ topic: "stock-commands", value: expire("a"), delayMs: 7 }],
    });
  });

  it("only the owner cancels; to anybody else the reservation is not there", () => {
    const stage = withReservation();
    expect(stage.deliver(cancel("a", bob), { nowMs })).toEqual({ ...nothing, reply: { type: "not-found" } });
  });

  it("commands for what was never reserved, or that name another sale, change nothing", () => {
    const stage = withReservation();
    stage.deliver(purchase("b", { userId: bob, decideByMs: 0 }), { nowMs });
    const other = "s_2" as SaleId;
    stage.deliver({ type: "open-sale", saleId: other, terms: { ...terms, saleId: other } }, { nowMs });
    for (const command of [pay("b"), pay("z"), cancel("z"), expire("z"), { ...pay("a"), saleId: other }]) {
      expect(stage.deliver(command, { nowMs: dueMs })).toEqual({ ...nothing, reply: { type: "not-found" } });
    }
    expect(unitsOf(stage)).toEqual([2, 1, 0]);
  });
});
