import { expect, test } from "vitest";
import { type OrderRow, orderView } from "./order-view.ts";

const startMs = Date.UTC(2030, 0, 1);
const after = (ms: number): Date => new Date(startMs + ms);
const row: OrderRow = {
  id: "o_1",
  reservationId: "s_1.a",
  saleId: "s_1",
  userId: "u_ann",
  productId: "kettle",
  title: "Kettle",
  quantity: 1,
  amountCents: 4_900,
  state: "awaiting_payment",
  payBefore: after(60_000),
  requestedAt: after(0),
  judgedAt: after(9),
  reservedAt: after(14),
  endedAt: null,
  createdAt: after(71),
  payments: [],
  sale: { product: { picture: "kettle" } },
};
const told = (part: Partial<OrderRow> = {}, sentAt = after(95)): string[] =>
  orderView(
    { ...row, ...part },
    { result: undefined, messages: [{ orderId: "o_1", event: "created", sentAt }], paymentAsked: false },
  ).timeline.map(({ service, event, atMs }) => `${service}: ${event} ${atMs - startMs}`);

test("the timeline begins at the gateway and tells each service at its own time", () => {
  expect(told()).toEqual([
    "gateway: received 0",
    "risk: passed 9",
    "stock: reserved 14",
    "order: created 71",
    "sms: created 95",
  ]);
});

test("what took no time keeps the order of the way", () => {
  const same = after(14);
  expect(told({ requestedAt: same, judgedAt: same, createdAt: same }, same)).toEqual([
    "gateway: received 14",
    "risk: passed 14",
    "stock: reserved 14",
    "order: created 14",
    "sms: created 14",
  ]);
});

test("an order whose beginning is not known in full tells what is known", () => {
  expect(told({ requestedAt: null, judgedAt: null })).toEqual([
    "stock: reserved 14",
    "order: created 71",
    "sms: created 95",
  ]);
});
