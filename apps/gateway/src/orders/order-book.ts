/** Finds orders of one user, with what the stock stage says about them now. */
import { type Order, type PurchaseResult, saleOfPurchase, stockKeys } from "@plateau/domain";
import type { Database } from "@plateau/prisma";
import { LRUCache } from "lru-cache";
import type { StateView } from "queue-core";
import { type OrderRow, orderView } from "./order-view.ts";

const shownMax = 100;
/** A payment that was asked for has its row within this, or was lost on the way. */
const askedForMs = 15_000;

export interface AskedPayment {
  readonly paymentId: string;
}

export class OrderBook {
  readonly #db: Database;
  readonly #stockState: StateView;
  /** By order: the payment that this gateway last published for it. */
  readonly asked = new LRUCache<string, AskedPayment>({ max: 20_000, ttl: askedForMs });

  constructor(parts: { db: Database; stockState: StateView }) {
    this.#db = parts.db;
    this.#stockState = parts.stockState;
  }

  /** Newest first, by when they were won: rows written in one batch share the time of writing. */
  async ofUser(userId: string): Promise<readonly Order[]> {
    const rows = await this.#db.order.findMany({
      where: { userId },
      include: withPayments,
      orderBy: [{ reservedAt: "desc" }, { id: "desc" }],
      take: shownMax,
    });
    return this.#views(rows);
  }

  /** Undefined where there is none or it is another's. */
  async row(orderId: string, userId: string): Promise<OrderRow | undefined> {
    if (!/^[A-Za-z0-9_-]{1,60}$/.test(orderId)) return undefined;
    return (await this.#db.order.findFirst({ where: { id: orderId, userId }, include: withPayments })) ?? undefined;
  }

  async view(row: OrderRow): Promise<Order> {
    const [order] = await this.#views([row]);
    if (order === undefined) throw new Error("one row makes one order");
    return order;
  }

  result(row: OrderRow): Promise<PurchaseResult | undefined> {
    return this.#stockState.get<PurchaseResult>(row.saleId, stockKeys.result(row.reservationId));
  }

  async #views(rows: readonly OrderRow[]): Promise<readonly Order[]> {
    if (rows.length === 0) return [];
    const [results, messages] = await Promise.all([
      this.#results(rows),
      this.#db.smsMessage.findMany({ where: { orderId: { in: rows.map(({ id }) => id) } } }),
    ]);
    const messagesOf = Map.groupBy(messages, ({ orderId }) => orderId);
    return rows.map((row) => {
      const asked = this.asked.get(row.id);
      return orderView(row, {
        result: results.get(row.reservationId),
        messages: messagesOf.get(row.id) ?? [],
        paymentAsked: asked !== undefined && !row.payments.some(({ id }) => id === asked.paymentId),
      });
    });
  }

  async #results(rows: readonly OrderRow[]): Promise<Map<string, PurchaseResult>> {
    const bySale = Map.groupBy(rows, ({ saleId }) => saleId);
    const found = await Promise.all(
      [...bySale].map(([saleId, ofSale]) =>
        this.#stockState.getMany<PurchaseResult>(
          saleId,
          ofSale.map(({ reservationId }) => stockKeys.result(reservationId)),
        ),
      ),
    );
    return new Map(
      found.flat().flatMap((result) => (result === undefined ? [] : [[result.purchaseId, result] as const])),
    );
  }
}

const withPayments = {
  payments: true,
  sale: { select: { product: { select: { picture: true } } } },
} as const;

/** The sale that a reservation belongs to. Throws for what is no reservation's id. */
export function saleOfReservation(reservationId: string) {
  const saleId = saleOfPurchase(reservationId);
  if (saleId === undefined) throw new Error(`${reservationId} names no sale`);
  return saleId;
}
