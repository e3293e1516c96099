/**
 * An order as its shopper sees it: the database's row, brought up to date by the stock stage's word.
 *
 * What can go wrong: the row is a projection and lags. Whoever was told "cancelled" must not read "awaiting payment"
 * afterwards, so the reservation's own state wins over the row's.
 */
import type { Order, orderStates, PurchaseResult, ReservationState } from "@plateau/domain";

export interface PaymentRow {
  readonly id: string;
  readonly state: "requested" | "authorised" | "declined" | "captured" | "voided";
  readonly problem: string | null;
  readonly createdAt: Date;
  readonly settledAt: Date | null;
}

export interface OrderRow {
  readonly id: string;
  readonly reservationId: string;
  readonly saleId: string;
  readonly userId: string;
  readonly productId: string;
  readonly title: string;
  readonly quantity: number;
  readonly amountCents: number;
  readonly state: "awaiting_payment" | "paid" | "cancelled" | "payment_expired";
  readonly payBefore: Date;
  readonly requestedAt: Date | null;
  readonly judgedAt: Date | null;
  readonly reservedAt: Date;
  readonly endedAt: Date | null;
  readonly createdAt: Date;
  readonly payments: readonly PaymentRow[];
  readonly sale: { readonly product: { readonly picture: string } };
}

export interface SmsRow {
  readonly orderId: string;
  readonly event: string;
  readonly sentAt: Date;
}

type OrderState = (typeof orderStates)[number];

const stateOfReservation = {
  reserved: "awaiting_payment",
  sold: "paid",
  cancelled: "cancelled",
  payment_expired: "payment_expired",
} as const satisfies Record<ReservationState, OrderState>;

export function orderView(
  row: OrderRow,
  facts: {
    readonly result: PurchaseResult | undefined;
    readonly messages: readonly SmsRow[];
    /** A payment was asked for that has no row yet. */
    readonly paymentAsked: boolean;
  },
): Order {
  const reservation = facts.result?.reservation;
  const settled = reservation === undefined ? row.state : stateOfReservation[reservation.state];
  const paying = settled === "awaiting_payment" && (facts.paymentAsked || row.payments.some(isUnderWay));
  const problem = paying ? undefined : lastOf(row.payments)?.problem;
  return {
    id: row.id,
    reservationId: row.reservationId,
    saleId: row.saleId,
    productId: row.productId,
    title: row.title,
    picture: row.sale.product.picture,
    quantity: row.quantity,
    amountCents: row.amountCents,
    state: paying ? "paying" : settled,
    payBefore: row.payBefore.toISOString(),
    createdAt: row.createdAt.toISOString(),
    ...(problem === null || problem === undefined ? {} : { paymentProblem: problem }),
    timeline: timelineOf(row, facts.messages, reservation),
  };
}

export const isUnderWay = ({ state }: PaymentRow): boolean => state === "requested" || state === "authorised";

function lastOf(payments: readonly PaymentRow[]): PaymentRow | undefined {
  return payments.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime()).at(-1);
}

function timelineOf(
  row: OrderRow,
  messages: readonly SmsRow[],
  reservation: PurchaseResult["reservation"],
): Order["timeline"] {
  const at = (service: string, event: string, time: Date | null) =>
    time === null ? [] : [{ service, event, atMs: time.getTime() }];
  const endedAtMs = reservation?.endedAtMs ?? row.endedAt?.getTime();
  const ended = reservation?.state ?? row.state;
  return [
    ...at("gateway", "received", row.requestedAt),
    ...at("risk", "passed", row.judgedAt),
    ...at("stock", "reserved", row.reservedAt),
    ...at("order", "created", row.createdAt),
    ...row.payments.flatMap(({ state, createdAt, settledAt }) => [
      ...at("payment", "requested", createdAt),
      ...(state === "requested" || state === "authorised" ? [] : at("payment", state, settledAt)),
    ]),
    ...(endedAtMs === undefined || ended === "reserved" || ended === "awaiting_payment"
      ? []
      : [{ service: "stock", event: ended === "paid" ? "sold" : ended, atMs: endedAtMs }]),
    ...messages.flatMap(({ event, sentAt }) => at("sms", event, sentAt)),
  ].sort((a, b) => a.atMs - b.atMs);
}
