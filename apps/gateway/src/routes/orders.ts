/**
 * One's own orders: look, pay, cancel; and one's SMS inbox.
 *
 * What can go wrong: paying twice by clicking twice (one payment at a time, and the same `Idempotency-Key` is the
 * same payment); paying what has expired (the stock stage's word counts, not the row's); another's order, which is
 * answered exactly as none.
 */
import { createHmac } from "node:crypto";
import {
  EmptyBody,
  newPaymentId,
  Order,
  type OrderId,
  Orders,
  PaymentBody,
  type PaymentId,
  Problem,
  paymentRequests,
  type ReservationId,
  SmsMessages,
  type StockCommand,
  type StockReply,
  stockCommands,
  type UserId,
} from "@plateau/domain";
import type { FastifyInstance } from "fastify";
import { QueueError } from "queue-core";
import { z } from "zod";
import { keyReused, ProblemError } from "../edge/problem.ts";
import type { Gateway } from "../gateway.ts";
import { OrderBook, saleOfReservation } from "../orders/order-book.ts";
import { isUnderWay, type OrderRow } from "../orders/order-view.ts";
import { type SessionGuard, sessionOf } from "../session/session-guard.ts";

const tags = ["orders"];
const params = z.object({ id: z.string() });
const messagesShown = 200;

interface ById {
  Params: { id: string };
}

export function orderRoutes(app: FastifyInstance, gateway: Gateway, guard: SessionGuard): void {
  const book = new OrderBook(gateway);
  const preHandler = guard.require;
  const response = { 200: Order, "4xx": Problem } as const;

  app.get(
    "/orders",
    { preHandler, schema: { tags, summary: "One's own orders", response: { 200: Orders, 401: Problem } } },
    async (request) => ({
      orders: await book.ofUser(sessionOf(request).userId),
    }),
  );

  app.get<ById>(
    "/orders/:id",
    { preHandler, schema: { tags, summary: "An order of one's own", params, response } },
    async (request) => book.view(await ownOrder(book, request.params.id, sessionOf(request).userId)),
  );

  app.post<ById & { Body: { outcome: "succeed" | "decline" } }>(
    "/orders/:id/payment",
    {
      preHandler,
      schema: {
        tags,
        summary: "Pay; the answer says `paying`, the end shows in the order",
        description:
          "`outcome` tells the sandbox provider what to do. Header `Idempotency-Key`: the same key is the same payment.",
        params,
        body: PaymentBody,
        response: { 202: Order, "4xx": Problem },
      },
    },
    async (request, reply) => {
      const row = await ownOrder(book, request.params.id, sessionOf(request).userId);
      const { outcome } = request.body;
      const key = request.headers["idempotency-key"];
      const [paymentId, otherId] = [outcome, outcome === "succeed" ? "decline" : "succeed"].map((one) =>
        paymentIdOf(gateway, row.id, key, one),
      ) as [PaymentId, PaymentId];
      await pay(gateway, book, { row, paymentId, otherId, outcome });
      return reply.code(202).send(await book.view(row));
    },
  );

  app.post<ById>(
    "/orders/:id/cancellation",
    {
      preHandler,
      schema: { tags, summary: "Give the units back", params, body: EmptyBody, response: { ...response, 202: Order } },
    },
    async (request, reply) => {
      const { userId } = sessionOf(request);
      const row = await ownOrder(book, request.params.id, userId);
      return reply.code(await cancel(gateway, row, userId)).send(await book.view(row));
    },
  );

  app.get(
    "/messages",
    { preHandler, schema: { tags, summary: "One's own SMS inbox", response: { 200: SmsMessages, 401: Problem } } },
    async (request) => {
      const rows = await gateway.db.smsMessage.findMany({
        where: { userId: sessionOf(request).userId },
        orderBy: { sentAt: "desc" },
        take: messagesShown,
      });
      return {
        messages: rows.map(({ id, orderId, text, sentAt }) => ({ id, orderId, text, sentAt: sentAt.toISOString() })),
      };
    },
  );
}

async function ownOrder(book: OrderBook, orderId: string, userId: string): Promise<OrderRow> {
  const row = await book.row(orderId, userId);
  if (row === undefined) throw new ProblemError("not-found", "No such order");
  return row;
}

/** Computed from the key and what was asked, so that any gateway at any time knows the same key with another wish. */
function paymentIdOf(
  { purchaseKey }: Gateway,
  orderId: string,
  key: string | string[] | undefined,
  outcome: string,
): PaymentId {
  if (key === undefined) return newPaymentId();
  if (typeof key !== "string" || !/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new ProblemError("invalid-request", "Idempotency-Key: 1 to 255 visible ASCII characters");
  }
  const mac = createHmac("sha256", purchaseKey)
    .update(JSON.stringify(["payment", orderId, key, outcome]))
    .digest();
  return `p_${mac.subarray(0, 16).toString("base64url")}` as PaymentId;
}

async function pay(
  gateway: Gateway,
  book: OrderBook,
  wish: { row: OrderRow; paymentId: PaymentId; otherId: PaymentId; outcome: "succeed" | "decline" },
): Promise<void> {
  const { row, paymentId, otherId, outcome } = wish;
  const asked = book.asked.get(row.id);
  if (asked?.paymentId === otherId || row.payments.some(({ id }) => id === otherId)) {
    throw new ProblemError(keyReused.code);
  }
  if (asked?.paymentId === paymentId || row.payments.some(({ id }) => id === paymentId)) return;
  const reservation = (await book.result(row))?.reservation;
  const nowMs = gateway.queue.now();
  if (reservation?.state !== "reserved" || reservation.payBeforeMs <= nowMs) {
    throw new ProblemError("order-not-payable", undefined, {
      members: { state: (await book.view(row)).state },
    });
  }
  // Read again behind the wait: two clicks at once meet here.
  if (book.asked.has(row.id) || row.payments.some(isUnderWay)) {
    const last = book.asked.get(row.id);
    const done =
      last !== undefined &&
      row.payments.some(({ id, ...payment }) => id === last.paymentId && !isUnderWay({ id, ...payment }));
    if (!done) throw new ProblemError("order-not-payable", "A payment is under way", { members: { state: "paying" } });
  }
  book.asked.set(row.id, { paymentId });
  try {
    await gateway.queue.publish(
      paymentRequests,
      {
        paymentId,
        orderId: row.id as OrderId,
        reservationId: row.reservationId as ReservationId,
        saleId: saleOfReservation(row.reservationId),
        userId: row.userId as UserId,
        amountCents: row.amountCents,
        outcome,
        requestedAtMs: nowMs,
      },
      { id: paymentId },
    );
  } catch (error) {
    if (error instanceof QueueError && error.outcome === "not_stored") book.asked.delete(row.id);
    throw error;
  }
}

/** 200 once the units are back, 202 where the stock stage has not answered yet. */
async function cancel(gateway: Gateway, row: OrderRow, userId: UserId): Promise<200 | 202> {
  const reservationId = row.reservationId as ReservationId;
  const command: StockCommand = { type: "cancel", saleId: saleOfReservation(reservationId), reservationId, userId };
  const { published, reply } = gateway.requester.send<StockCommand, StockReply>(stockCommands, command, {
    timeoutMs: gateway.timings.commandWaitMs,
  });
  await published;
  const answer = await reply.catch((error: unknown) => {
    if (error instanceof QueueError && error.outcome === "unknown") return undefined;
    throw error;
  });
  if (answer === undefined) return 202;
  if (answer.type !== "reservation") throw new ProblemError("not-found", "No such order");
  const state = answer.result.reservation?.state;
  if (state === "cancelled") return 200;
  throw new ProblemError("order-not-cancellable", undefined, { members: { state: state ?? answer.result.outcome } });
}
