"use client";
/** Pay, let a payment be declined (the provider is simulated), cancel: and the time that is left for it. */
import type { Order } from "@plateau/domain/http";
import Link from "next/link";
import { useState } from "react";
import { useTranslations } from "use-intl/react";
import { call, type Reply } from "../browser/api.ts";
import { isoDuration } from "../language/figures.ts";
import { useFigures, useSentences } from "../language/words-in-browser.tsx";
import type { Moment } from "../time/moment.ts";
import { useCoarseTime } from "../time/use-coarse-time.ts";
import { useServerNow } from "../time/use-server-now.ts";

export interface OrderActionsProps {
  readonly order: Order;
  readonly moment: Moment;
  readonly zone: string | undefined;
  readonly onAnswer: (order: Order) => void;
  /** Nobody knows what became of it: look. */
  readonly onUnknown: () => void;
}

type Asked = "paying" | "declining" | "cancelling" | undefined;

export function OrderActions({ order, moment, zone, onAnswer, onUnknown }: OrderActionsProps) {
  const t = useTranslations("orders.pay");
  const { clock, countdown, price, span } = useFigures();
  const sentences = useSentences();
  const now = useServerNow(moment.renderedAtMs);
  const [asked, setAsked] = useState<Asked>();
  const [problem, setProblem] = useState<string>();
  const payable = order.state === "awaiting_payment";
  const busy = asked !== undefined || order.state === "paying";
  const left = Date.parse(order.payBefore) - now;
  const mark = useCoarseTime(payable ? left : undefined);
  const address = `/api/orders/${encodeURIComponent(order.id)}` as const;

  const act = async (kind: NonNullable<Asked>, send: () => Promise<Reply<Order>>) => {
    if (busy) return;
    setAsked(kind);
    setProblem(undefined);
    const reply = await send();
    setAsked(undefined);
    if (reply.kind === "ok") onAnswer(reply.body);
    else setProblem(reply.kind === "lost" ? t("lost") : sentences.problem(reply.code));
    onUnknown();
  };
  const pay = (kind: "paying" | "declining") => () =>
    act(kind, () =>
      call<Order>(`${address}/payment`, {
        method: "POST",
        body: { outcome: kind === "paying" ? "succeed" : "decline" },
      }),
    );
  const cancel = () => act("cancelling", () => call<Order>(`${address}/cancellation`, { method: "POST", body: {} }));

  return (
    <div className="grid gap-4" data-order-actions>
      {payable || order.state === "paying" ? (
        <>
          <button
            type="button"
            className="act"
            data-tone={busy ? "wait" : "live"}
            data-testid="pay"
            aria-disabled={busy}
            onClick={() => void pay("paying")()}
          >
            <span className="act-label">
              {busy ? t(asked ?? "paying") : t("act", { price: price(order.amountCents) })}
            </span>
            <span className="act-figure">
              <time role="timer" aria-live="off" dateTime={isoDuration(left)}>
                {countdown(left)}
              </time>
            </span>
          </button>
          <p className="min-h-12 text-ink-soft tabular" role="status">
            {problem ??
              t(order.paymentProblem === undefined ? "line" : "declined", {
                time: clock(order.payBefore, "second", zone),
              })}
          </p>
          <p className="sr-only" role="status">
            {mark === undefined ? "" : t("left", { span: span(mark) })}
          </p>
          <div className="flex flex-wrap gap-3">
            <button type="button" className="plain-button" aria-disabled={busy} onClick={() => void pay("declining")()}>
              {t("decline")}
            </button>
            <button type="button" className="plain-button" aria-disabled={busy} onClick={() => void cancel()}>
              {t("cancel")}
            </button>
          </div>
        </>
      ) : (
        <OrderEnd order={order} problem={problem} />
      )}
    </div>
  );
}

function OrderEnd({ order, problem }: { readonly order: Order; readonly problem: string | undefined }) {
  const t = useTranslations("orders.end");
  const { state } = order;
  if (state === "awaiting_payment" || state === "paying") return null;
  const ways = {
    messages: { href: "/messages", says: t("toMessages") },
    sale: { href: `/sales/${encodeURIComponent(order.saleId)}`, says: t("toSale") },
    shop: { href: "/", says: t("toShop") },
  };
  return (
    <>
      <p className="text-ink-soft">{problem ?? t(state)}</p>
      <ul className="next-steps">
        {[state === "paid" ? ways.messages : ways.sale, ways.shop].map(({ href, says }) => (
          <li key={href}>
            <Link href={href} prefetch={false} className="text-link inline-flex min-h-11 items-center">
              {says}
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
