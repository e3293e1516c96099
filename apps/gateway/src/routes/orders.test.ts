import {
  Order,
  type OrderId,
  Orders,
  type PaymentRequest,
  Purchase,
  paymentRequests,
  type ReservationId,
  type Sale,
  SmsMessages,
  stockCommands,
} from "@plateau/domain";
import { expect, test } from "vitest";
import { type GatewayBed, useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();

interface Bought {
  readonly sale: Sale;
  readonly token: string;
  readonly userId: string;
  readonly purchase: Purchase;
  readonly orderId: string;
}

/** A won purchase, and the order's row as the order consumer writes it. */
async function buyAndOrder(bed: GatewayBed, terms: Record<string, unknown> = {}): Promise<Bought> {
  const sale = await bed.openSale(terms);
  const { token, userId } = await bed.signIn();
  const purchase = Purchase.parse((await bed.buy(sale.id, token)).body);
  const orderId = purchase.orderId ?? "";
  await bed.db.order.create({
    data: {
      id: orderId,
      reservationId: purchase.id,
      saleId: sale.id,
      userId,
      productId: sale.productId,
      title: sale.title,
      quantity: 1,
      amountCents: sale.priceCents,
      version: 1,
      payBefore: purchase.reservation?.payBefore ?? "",
      reservedAt: purchase.decidedAt ?? "",
    },
  });
  return { sale, token, userId, purchase, orderId };
}

async function publishedPayments(bed: GatewayBed): Promise<readonly PaymentRequest[]> {
  const found: PaymentRequest[] = [];
  for (let partition = 0; partition < paymentRequests.partitions; partition++) {
    found.push(...(await bed.queue.browse(paymentRequests, partition, 0, 100)).map(({ value }) => value));
  }
  return found;
}

test("orders come by when they were won, newest first, also where one batch wrote them", async () => {
  const bed = await startBed();
  const { id: saleId, productId, title } = await bed.openSale();
  const { token, userId } = await bed.signIn();
  const wonAtMs = { o_2: 2_000, o_3: 3_000, o_1: 1_000 };
  await bed.db.order.createMany({
    data: Object.entries(wonAtMs).map(([id, atMs]) => ({
      ...{ id, reservationId: `${saleId}.${id}`, saleId, userId, productId, title },
      ...{ quantity: 1, amountCents: 1, version: 1, payBefore: new Date(60_000), createdAt: new Date(9_000) },
      reservedAt: new Date(atMs),
    })),
  });
  const { orders } = Orders.parse((await bed.call("GET", "/api/orders", { token })).body);
  expect(orders.map(({ id }) => id)).toEqual(["o_3", "o_2", "o_1"]);
});

test("an order and its messages are its owner's alone", async () => {
  const bed = await startBed();
  const { token, orderId, userId, sale } = await buyAndOrder(bed);
  await bed.db.smsMessage.create({
    data: {
      id: `${orderId}:created`,
      orderId,
      userId,
      saleId: sale.id,
      event: "created",
      text: "It is yours.",
      providerId: "1",
      sentAt: new Date(),
    },
  });
  const order = Order.parse((await bed.call("GET", `/api/orders/${orderId}`, { token })).body);
  expect(order).toMatchObject({ id: orderId, state: "awaiting_payment", picture: sale.picture });
  expect(order.timeline.map(({ service }) => service)).toEqual(expect.arrayContaining(["stock", "order", "sms"]));
  expect(Orders.parse((await bed.call("GET", "/api/orders", { token })).body).orders).toEqual([order]);
  expect(SmsMessages.parse((await bed.call("GET", "/api/messages", { token })).body).messages).toHaveLength(1);

  const stranger = (await bed.signIn()).token;
  const none = (await bed.call("GET", "/api/orders/o_none", { token: stranger })).body;
  for (const [method, path, body] of [
    ["GET", "", undefined],
    ["POST", "/payment", { outcome: "succeed" }],
    ["POST", "/cancellation", undefined],
  ] as const) {
    const answer = await bed.call(method, `/api/orders/${orderId}${path}`, {
      token: stranger,
      ...(body === undefined ? {} : { body }),
    });
    expect(answer.body).toEqual(none);
  }
  expect((await bed.call("GET", "/api/orders", { token: stranger })).body).toEqual({ orders: [] });
  expect((await bed.call("GET", "/api/messages", { token: stranger })).body).toEqual({ messages: [] });
});

test("one key is one payment; another while it is under way, or another outcome, is refused", async () => {
  const bed = await startBed();
  const { token, orderId, sale, purchase } = await buyAndOrder(bed);
  const pay = (key: string, outcome = "succeed") =>
    bed.call("POST", `/api/orders/${orderId}/payment`, {
      token,
      body: { outcome },
      headers: { "idempotency-key": key },
    });
  const first = await pay("a");
  expect(first.status).toBe(202);
  expect(Order.parse(first.body).state).toBe("paying");
  expect((await pay("a")).body).toEqual(first.body);
  expect((await pay("a", "decline")).body).toMatchObject({ status: 422, code: "key-reused" });
  expect((await pay("b")).body).toMatchObject({ status: 409, code: "order-not-payable" });
  expect(await publishedPayments(bed)).toEqual([
    expect.objectContaining({ orderId, reservationId: purchase.id, amountCents: sale.priceCents, outcome: "succeed" }),
  ]);
});

test("after a decline another payment may be tried, and the order says why the last one failed", async () => {
  const bed = await startBed();
  const { token, orderId, purchase, sale } = await buyAndOrder(bed);
  const pay = (outcome: string, key: string) =>
    bed.call("POST", `/api/orders/${orderId}/payment`, {
      token,
      body: { outcome },
      headers: { "idempotency-key": key },
    });
  expect((await pay("decline", "a")).status).toBe(202);
  const [asked] = await publishedPayments(bed);
  await bed.db.payment.create({
    data: {
      id: asked?.paymentId ?? "",
      orderId,
      reservationId: purchase.id,
      saleId: sale.id,
      amountCents: sale.priceCents,
      state: "declined",
      problem: "card declined",
      settledAt: new Date(),
    },
  });
  expect((await bed.call("GET", `/api/orders/${orderId}`, { token })).body).toMatchObject({
    state: "awaiting_payment",
    paymentProblem: "card declined",
  });
  await bed.startGateway(); // Its key is known for good, not only where and while it is remembered.
  expect((await pay("succeed", "a")).body).toMatchObject({ status: 422, code: "key-reused" });
  expect((await pay("decline", "a")).status).toBe(202);
  expect((await pay("succeed", "b")).status).toBe(202);
  expect(await publishedPayments(bed)).toHaveLength(2);
});

test("what the stock stage says counts, though the order's row lags: paid is not payable and not cancellable", async () => {
  const bed = await startBed();
  const { token, orderId, purchase, sale } = await buyAndOrder(bed);
  await bed.queue.publish(stockCommands, {
    type: "pay",
    saleId: sale.id as never,
    reservationId: purchase.id as string as ReservationId,
    paymentId: "p_1" as never,
  });
  await bed.until(
    () => bed.call("GET", `/api/orders/${orderId}`, { token }),
    ({ body }) => (body as Order).state === "paid",
  );
  const again = await bed.call("POST", `/api/orders/${orderId}/payment`, { token, body: { outcome: "succeed" } });
  expect(again.body).toMatchObject({ status: 409, code: "order-not-payable", state: "paid" });
  const cancelled = await bed.call("POST", `/api/orders/${orderId}/cancellation`, { token });
  expect(cancelled.body).toMatchObject({ status: 409, code: "order-not-cancellable", state: "sold" });
});

test("a cancellation returns the units once, however often it is sent", async () => {
  const bed = await startBed();
  const { token, orderId, sale } = await buyAndOrder(bed, { stock: 2 });
  for (let times = 0; times < 2; times++) {
    const answer = await bed.call("POST", `/api/orders/${orderId}/cancellation`, { token });
    expect(answer.status).toBe(200);
    expect(Order.parse(answer.body).state).toBe("cancelled");
  }
  await expect.poll(() => bed.saleShown(sale.id)).toMatchObject({ available: 2, reserved: 0, sold: 0 });
  const pay = await bed.call("POST", `/api/orders/${orderId as OrderId}/payment`, {
    token,
    body: { outcome: "succeed" },
  });
  expect(pay.body).toMatchObject({ code: "order-not-payable", state: "cancelled" });
});
