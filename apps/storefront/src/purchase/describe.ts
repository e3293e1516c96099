/**
 * What the button and the line below it say, for each state: a pure function of sale, purchase and server time, so
 * that the first view from the server and every later one agree.
 *
 * States are those of the API (upcoming → open → submitting → queued → won → paid | cancelled | payment_expired;
 * ends sold_out, rejected, expired), and `ended` for a sale that is over.
 */
import type { Purchase, Sale } from "@plateau/domain/http";
import { countText, priceText, unitsText } from "../text/figures.ts";
import { problemSentence } from "../text/problem-sentences.ts";
import { rejectionSentence } from "../text/rejection-sentences.ts";
import { aboutText, countdownText } from "../time/format.ts";
import type { View } from "./submit.ts";

export type ShownState = Sale["state"] | Purchase["state"] | "submitting";
export type Tone = "live" | "wait" | "won" | "still" | "done";

export interface Description {
  readonly state: ShownState;
  readonly tone: Tone;
  readonly label: string;
  /** Right end of the button; changes while it stands. */
  readonly figure: string;
  readonly line: string;
  readonly action: { readonly kind: "none" | "buy" } | { readonly kind: "go"; readonly href: string };
  /** Spoken once when the state begins; the figure is not repeated aloud. */
  readonly announcement: string;
}

export interface Situation {
  readonly sale: Sale;
  readonly view: View;
  readonly nowMs: number;
  readonly signedIn: boolean;
  /** A moment as the visitor's clock shows it. */
  readonly clock: (iso: string) => string;
}

type Draft = Omit<Description, "announcement" | "figure"> & { readonly figure?: string };

/**
 * The sale's own state at a moment of server time. The page's time comes in whole seconds, so it lags; a sale that the
 * server has called open never goes back to upcoming for that.
 */
export function saleStateAt(sale: Sale, nowMs: number): Sale["state"] {
  if (sale.state === "ended" || nowMs >= Date.parse(sale.endsAt)) return "ended";
  if (sale.state === "upcoming" && nowMs < Date.parse(sale.startsAt)) return "upcoming";
  return sale.available === 0 ? "sold_out" : "open";
}

export function describe(situation: Situation): Description {
  const draft = drafted(situation);
  return { figure: "", ...draft, announcement: `${draft.label}. ${draft.line}` };
}

function drafted(situation: Situation): Draft {
  const { view } = situation;
  switch (view.kind) {
    case "idle":
      return beforePurchase(situation);
    case "submitting":
      return waiting("submitting", "Sending your request", "The gateway checks it and puts it in the queue.");
    case "lost":
      return waiting(
        "submitting",
        "The connection broke",
        "Asking again with the same key, so this can become one purchase only.",
      );
    case "held":
      return {
        ...waiting("submitting", "Waiting to ask again", problemSentence(view.code)),
        figure: `in ${Math.ceil(view.forMs / 1000)} s`,
      };
    case "stuck":
      return {
        state: "submitting",
        tone: "still",
        label: "Ask again",
        line: "The shop cannot be reached. Asking again uses the same key, so you cannot buy twice.",
        action: { kind: "buy" },
      };
    case "refused":
      return refused(situation, view.code, view.reason);
    case "known":
      return withPurchase(situation, view.purchase);
  }
}

const waiting = (state: ShownState, label: string, line: string): Draft => ({
  state,
  tone: "wait",
  label,
  line,
  action: { kind: "none" },
});

function beforePurchase({ sale, nowMs, signedIn, clock }: Situation): Draft {
  const state = saleStateAt(sale, nowMs);
  const perPerson = sale.perUserLimit === 1 ? "One per person" : `Up to ${sale.perUserLimit} per person`;
  switch (state) {
    case "upcoming":
      return {
        state,
        tone: "still",
        label: `Opens at ${clock(sale.startsAt)}`,
        figure: countdownText(Date.parse(sale.startsAt) - nowMs),
        line: `${unitsText(sale.stock)}. ${perPerson}. This button opens by itself.`,
        action: { kind: "none" },
      };
    case "open":
      return {
        state,
        tone: "live",
        label: signedIn ? "Buy one" : "Sign in and buy",
        figure: priceText(sale.priceCents),
        line: `${perPerson}. Once a unit is reserved you have ${spanText(sale.paymentTimeoutMs)} to pay.`,
        action: { kind: "buy" },
      };
    case "sold_out":
      return { state, tone: "still", label: "Sold out", line: soldOutLine(sale), action: { kind: "none" } };
    case "ended":
      return {
        state,
        tone: "still",
        label: "This sale is over",
        line: `It ended at ${clock(sale.endsAt)}. ${countText(sale.sold)} of ${unitsText(sale.stock)} were sold.`,
        action: { kind: "none" },
      };
  }
}

const spanText = (ms: number) =>
  ms < 120_000 ? `${Math.round(ms / 1000)} seconds` : `${Math.round(ms / 60_000)} minutes`;

const soldOutLine = (sale: Sale) =>
  sale.reserved > 0
    ? `${unitsText(sale.reserved)} reserved and not yet paid. What is not paid for comes back here.`
    : `All ${unitsText(sale.stock)} are sold.`;

function withPurchase(situation: Situation, purchase: Purchase): Draft {
  const { sale, nowMs, clock } = situation;
  const order = purchase.orderId === undefined ? undefined : orderAddress(purchase.orderId, purchase.id);
  const go = order === undefined ? ({ kind: "none" } as const) : ({ kind: "go", href: order } as const);
  switch (purchase.state) {
    case "queued":
      return { ...waiting("queued", "In the queue", queueLine(purchase.position)), figure: queueFigure(purchase) };
    case "won": {
      const payBefore = purchase.reservation?.payBefore ?? sale.endsAt;
      return {
        state: "won",
        tone: "won",
        label: `Pay ${priceText(sale.priceCents * purchase.quantity)}`,
        figure: countdownText(Date.parse(payBefore) - nowMs),
        line: `Yours until ${clock(payBefore)}. If it is not paid by then, it goes back to the others.`,
        action: go,
      };
    }
    case "paid":
      return {
        state: "paid",
        tone: "done",
        label: "Paid",
        figure: "See the order",
        line: "It is yours. A message is on its way to your inbox.",
        action: go,
      };
    case "cancelled":
      return tryAgain(situation, "cancelled", "You cancelled this order. The unit went back and nothing was charged.");
    case "payment_expired":
      return tryAgain(
        situation,
        "payment_expired",
        "The time to pay ran out. The unit went back and nothing was charged.",
      );
    case "sold_out":
      return tryAgain(situation, "sold_out", "The last unit went to somebody before you. Nothing was charged.");
    case "rejected":
      return refused(situation, "risk-rejected", purchase.reason);
    case "expired":
      return tryAgain(situation, "expired", problemSentence("expired"));
  }
}

/** The order is written just after the purchase is decided; the page waits for it when it knows the purchase. */
export const orderAddress = (orderId: string, purchaseId: string): string =>
  `/orders/${encodeURIComponent(orderId)}?purchase=${encodeURIComponent(purchaseId)}`;

function queueLine(position: number | undefined): string {
  if (position === undefined) return "Your request is in the queue. Nothing is charged while you wait.";
  if (position === 0) return "You are next. Nothing is charged while you wait.";
  const ahead = position === 1 ? "About 1 request is" : `About ${countText(position)} requests are`;
  return `${ahead} ahead of you. Nothing is charged while you wait.`;
}

const queueFigure = ({ etaMs }: Purchase) => (etaMs === undefined || etaMs === null ? "" : aboutText(etaMs));

const headlines: Partial<Record<ShownState, string>> = {
  cancelled: "Cancelled",
  payment_expired: "Not paid in time",
  sold_out: "Sold out",
  rejected: "Turned down",
  expired: "No decision in time",
};

/** An end that is not for good: where units are left, the button offers a new try. */
function tryAgain(situation: Situation, state: ShownState, line: string): Draft {
  const { sale, nowMs } = situation;
  if (saleStateAt(sale, nowMs) === "open") {
    return {
      state,
      tone: "live",
      label: "Try once more",
      figure: priceText(sale.priceCents),
      line,
      action: { kind: "buy" },
    };
  }
  return { state, tone: "still", label: headlines[state] ?? "This sale is over", line, action: { kind: "none" } };
}

function refused(situation: Situation, code: string, reason: string | undefined): Draft {
  if (code === "sold-out") return tryAgain(situation, "sold_out", problemSentence(code));
  if (code === "expired") return tryAgain(situation, "expired", problemSentence(code));
  if (code === "limit-reached" || reason === "limit-reached") {
    return {
      state: "rejected",
      tone: "still",
      label: "You have yours",
      figure: "See your orders",
      line: problemSentence("limit-reached"),
      action: { kind: "go", href: "/orders" },
    };
  }
  if (code === "risk-rejected") return tryAgain(situation, "rejected", rejectionSentence(reason));
  if (code === "sale-not-open") return { ...beforePurchase(situation), line: problemSentence(code) };
  return tryAgain(situation, "rejected", problemSentence(code));
}
