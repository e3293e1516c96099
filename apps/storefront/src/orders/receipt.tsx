"use client";
import type { Order } from "@plateau/domain/http";
import type { RefObject } from "react";
import { useTranslations } from "use-intl/react";
import { useFigures } from "../language/words-in-browser.tsx";
import { useProductText } from "../shop/use-product-text.ts";

export function Receipt(props: {
  readonly order: Order;
  readonly zone: string | undefined;
  readonly heading: RefObject<HTMLHeadingElement | null>;
}) {
  const { order, zone, heading } = props;
  const t = useTranslations("orders");
  const { clock, price } = useFigures();
  const text = useProductText();
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
        {t(`state.${order.state}`)}
      </h2>
      <dl className="receipt-part">
        <div className="receipt-line">
          <dt>{text.title(order)}</dt>
          <dd>
            {order.quantity} × {price(each)}
          </dd>
        </div>
        <div className="receipt-line">
          <dt>{t("receipt.delivery")}</dt>
          <dd>{price(0)}</dd>
        </div>
      </dl>
      <dl className="receipt-part">
        <div className="receipt-line receipt-total">
          <dt>{order.state === "paid" ? t("receipt.paid") : t("receipt.total")}</dt>
          <dd data-testid="order-amount">{price(order.amountCents)}</dd>
        </div>
      </dl>
      <dl className="receipt-part">
        <div className="receipt-line">
          <dt>{t("receipt.ordered")}</dt>
          <dd>{clock(order.createdAt, "day", zone)}</dd>
        </div>
        <div className="receipt-line">
          <dt>{t("receipt.payBefore")}</dt>
          <dd>{clock(order.payBefore, "second", zone)}</dd>
        </div>
        <div className="receipt-line">
          <dt>{t("receipt.order")}</dt>
          <dd className="break-all">{order.id}</dd>
        </div>
      </dl>
    </section>
  );
}
