import type { Order } from "@plateau/domain/http";
import type { RefObject } from "react";
import { priceText } from "../text/figures.ts";
import { orderStateWords } from "../text/order-words.ts";
import { clockText } from "../time/format.ts";

export function Receipt(props: {
  readonly order: Order;
  readonly zone: string | undefined;
  readonly heading: RefObject<HTMLHeadingElement | null>;
}) {
  const { order, zone, heading } = props;
  const each = Math.round(order.amountCents / order.quantity);
  return (
    <section className="receipt" aria-labelledby="receipt-title">
      <h2
        id="receipt-title"
        ref={heading}
        tabIndex={-1}
        className="text-l font-bold tracking-normal"
        data-testid="order-state"
        data-state={order.state}
      >
        {orderStateWords[order.state]}
      </h2>
      <hr className="receipt-rule" />
      <dl>
        <div className="receipt-line">
          <dt>{order.title}</dt>
          <dd>
            {order.quantity} × {priceText(each)}
          </dd>
        </div>
        <div className="receipt-line">
          <dt>Delivery</dt>
          <dd>{priceText(0)}</dd>
        </div>
        <hr className="receipt-rule" />
        <div className="receipt-line receipt-total">
          <dt>{order.state === "paid" ? "Paid" : "Total"}</dt>
          <dd data-testid="order-amount">{priceText(order.amountCents)}</dd>
        </div>
        <hr className="receipt-rule" />
        <div className="receipt-line">
          <dt>Ordered</dt>
          <dd>{clockText(order.createdAt, "day", zone)}</dd>
        </div>
        <div className="receipt-line">
          <dt>Pay before</dt>
          <dd>{clockText(order.payBefore, "second", zone)}</dd>
        </div>
        <div className="receipt-line">
          <dt>Order</dt>
          <dd className="break-all">{order.id}</dd>
        </div>
      </dl>
    </section>
  );
}
