"use client";
/**
 * One order: what happened to it in ms at the left, its receipt and what can still be done at the right.
 *
 * What can go wrong: the page is here before the order is written (it waits, knowing the purchase); paying and
 * expiring race (the page shows what the stock stage decided, never what was asked for).
 */
import type { Order } from "@plateau/domain/http";
import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl/react";
import { usePolled } from "../browser/use-polled.ts";
import { useProductText } from "../shop/use-product-text.ts";
import { useZone } from "../time/clock.tsx";
import type { Moment } from "../time/moment.ts";
import { OrderActions } from "./order-actions.tsx";
import { Receipt } from "./receipt.tsx";
import { Timeline } from "./timeline.tsx";

/** After the end the later services still add their lines. */
const settleForMs = 20_000;

export function OrderSheet({ order: first, moment }: { readonly order: Order; readonly moment: Moment }) {
  const endedAt = useRef<number | undefined>(undefined);
  const pauseMs = useCallback((order: Order) => {
    if (order.state === "awaiting_payment") return 1_500;
    if (order.state === "paying") return 500;
    endedAt.current ??= performance.now();
    return performance.now() - endedAt.current < settleForMs ? 1_000 : undefined;
  }, []);
  const {
    value: order,
    refresh,
    set,
  } = usePolled<Order>(`/api/orders/${encodeURIComponent(first.id)}`, first, pauseMs);
  const zone = useZone(moment);
  const t = useTranslations("orders.timeline");
  const heading = useRef<HTMLHeadingElement>(null);
  const spoken = useSettledFocus(order, heading);

  return (
    <div className="order-sheet">
      <section aria-labelledby="timeline-title">
        <h2 id="timeline-title" className="mb-6 text-m font-semibold">
          {t("title")}
        </h2>
        <Timeline events={order.timeline} />
      </section>
      <div className="order-desk grid grid-cols-1 gap-6">
        <OrderActions order={order} moment={moment} zone={zone} onAnswer={set} onUnknown={refresh} />
        <Receipt order={order} zone={zone} heading={heading} />
      </div>
      <p className="sr-only" role="status">
        {spoken}
      </p>
    </div>
  );
}

/** An order that has just ended takes the focus to its heading and is spoken of once. */
function useSettledFocus(order: Order, heading: React.RefObject<HTMLHeadingElement | null>): string {
  const t = useTranslations("orders");
  const text = useProductText();
  const before = useRef(order.state);
  const [spoken, setSpoken] = useState("");
  useEffect(() => {
    if (before.current === order.state) return;
    before.current = order.state;
    setSpoken(t("spoken", { title: text.title(order), state: t(`state.${order.state}`) }));
    const ended = order.state !== "awaiting_payment" && order.state !== "paying";
    const active = document.activeElement;
    const free = active === null || active === document.body || active.closest("[data-order-actions]") !== null;
    if (ended && free) heading.current?.focus();
  }, [order, heading, t, text]);
  return spoken;
}
