"use client";
/** Pay, let a payment be declined (the provider is simulated), cancel: and the time that is left for it. */
import type { Order } from "@plateau/domain/http";
import { useState } from "react";
import { call, type Reply } from "../browser/api.ts";
import { priceText } from "../text/figures.ts";
import { problemSentence } from "../text/problem-sentences.ts";
import { clockText, countdownText, isoDuration } from "../time/format.ts";
import type { Moment } from "../time/moment.ts";
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
  const now = useServerNow(moment.renderedAtMs);
  const [asked, setAsked] = useState<Asked>();
  const [problem, setProblem] = useState<string>();
  const payable = order.state === "awaiting_payment";
  const busy = asked !== undefined || order.state === "paying";
  const left = Date.parse(order.payBefore) - now;
  const address = `/api/orders/${encodeURIComponent(order.id)}` as const;

  const act = async (kind: NonNullable<Asked>, send: () => Promise<Reply<Order>>) => {
    if (busy) return;
    setAsked(kind);
    setProblem(undefined);
    const reply = await send();
    setAsked(undefined);
    if (reply.kind === "ok") onAnswer(reply.body);
    else
      setProblem(
        reply.kind === "lost"
          ? "The connection broke. This page looks up what became of it."
          : problemSentence(reply.code),
      );
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
            <span className="act-label">{busy ? busyWords(asked) : `Pay ${priceText(order.amountCents)}`}</span>
            <span className="act-figure">
              <time role="timer" aria-live="off" dateTime={isoDuration(left)}>
                {countdownText(left)}
              </time>
            </span>
          </button>
          <p className="min-h-12 text-ink-soft tabular" role="status">
            {problem ??
              order.paymentProblem ??
              `Reserved for you until ${clockText(order.payBefore, "second", zone)}. The payment is simulated: no card, no money.`}
          </p>
          <div className="flex flex-wrap gap-3">
            <button type="button" className="plain-button" aria-disabled={busy} onClick={() => void pay("declining")()}>
              Let the payment be declined
            </button>
            <button type="button" className="plain-button" aria-disabled={busy} onClick={() => void cancel()}>
              Cancel the order
            </button>
          </div>
        </>
      ) : (
        <p className="text-ink-soft">{problem ?? endWords[order.state]}</p>
      )}
    </div>
  );
}

function busyWords(asked: Asked): string {
  return asked === "cancelling" ? "Cancelling" : asked === "declining" ? "Asking for a refusal" : "Paying";
}

const endWords: Record<Order["state"], string> = {
  awaiting_payment: "",
  paying: "",
  paid: "The amount is captured once and the unit is yours. A message confirms it in your inbox.",
  cancelled: "You cancelled. The unit went back to the sale and nothing was charged.",
  payment_expired: "The time to pay ran out. The unit went back to the sale and nothing was charged.",
};
