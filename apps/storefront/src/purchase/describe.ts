/**
 * What the button and the line below it say, for each state: a pure function of sale, purchase and server time, so
 * that the first view from the server and every later one agree.
 *
 * States are those of the API (upcoming → open → submitting → queued → won → paid | cancelled | payment_expired;
 * ends sold_out, rejected, expired), and `ended` for a sale that is over.
 */
import type { Purchase, Sale } from "@plateau/domain/http";
import type { Figures } from "../language/figures.ts";
import type { Sentences } from "../language/sentences.ts";
import type { Translator } from "../language/translator.ts";
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

/** What the description is written with. */
export interface Speech {
  readonly t: Translator<"sale">;
  readonly figures: Figures;
  readonly sentences: Sentences;
}

export interface Situation {
  readonly speech: Speech;
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
  const { label, line } = draft;
  return { figure: "", ...draft, announcement: situation.speech.t("announcement", { label, line }) };
}

function drafted(situation: Situation): Draft {
  const { view, speech } = situation;
  const { t, sentences } = speech;
  switch (view.kind) {
    case "idle":
      return beforePurchase(situation);
    case "submitting":
      return waiting("submitting", t("submitting.label"), t("submitting.line"));
    case "lost":
      return waiting("submitting", t("lost.label"), t("lost.line"));
    case "held":
      return {
        ...waiting("submitting", t("held.label"), sentences.problem(view.code)),
        figure: t("held.figure", { seconds: Math.ceil(view.forMs / 1000) }),
      };
    case "stuck":
      return {
        state: "submitting",
        tone: "still",
        label: t("stuck.label"),
        line: t("stuck.line"),
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

function beforePurchase({ sale, nowMs, signedIn, clock, speech }: Situation): Draft {
  const { t, figures } = speech;
  const state = saleStateAt(sale, nowMs);
  const perPerson = t("perPerson", { count: sale.perUserLimit });
  switch (state) {
    case "upcoming":
      return {
        state,
        tone: "still",
        label: t("upcoming.label", { time: clock(sale.startsAt) }),
        figure: figures.countdown(Date.parse(sale.startsAt) - nowMs),
        line: t("upcoming.line", { units: figures.units(sale.stock), perPerson }),
        action: { kind: "none" },
      };
    case "open":
      return {
        state,
        tone: "live",
        label: signedIn ? t("open.buy") : t("open.signInAndBuy"),
        figure: figures.price(sale.priceCents),
        line: t("open.line", { perPerson, span: figures.span(sale.paymentTimeoutMs) }),
        action: { kind: "buy" },
      };
    case "sold_out":
      return {
        state,
        tone: "still",
        label: t("soldOut.label"),
        line: soldOutLine(sale, speech),
        action: { kind: "none" },
      };
    case "ended":
      return {
        state,
        tone: "still",
        label: t("ended.label"),
        line: t("ended.line", {
          time: clock(sale.endsAt),
          sold: figures.count(sale.sold),
          units: figures.units(sale.stock),
        }),
        action: { kind: "none" },
      };
  }
}

const soldOutLine = (sale: Sale, { t, figures }: Speech) =>
  sale.reserved > 0
    ? t("soldOut.held", { units: figures.units(sale.reserved) })
    : t("soldOut.all", { units: figures.units(sale.stock) });

function withPurchase(situation: Situation, purchase: Purchase): Draft {
  const { sale, nowMs, clock, speech } = situation;
  const { t, figures, sentences } = speech;
  const order = purchase.orderId === undefined ? undefined : orderAddress(purchase.orderId, purchase.id);
  const go = order === undefined ? ({ kind: "none" } as const) : ({ kind: "go", href: order } as const);
  switch (purchase.state) {
    case "queued":
      return {
        ...waiting("queued", t("queued.label"), queueLine(purchase.position, t)),
        figure: queueFigure(purchase, figures),
      };
    case "won": {
      const payBefore = purchase.reservation?.payBefore ?? sale.endsAt;
      return {
        state: "won",
        tone: "won",
        label: t("won.label", { price: figures.price(sale.priceCents * purchase.quantity) }),
        figure: figures.countdown(Date.parse(payBefore) - nowMs),
        line: t("won.line", { time: clock(payBefore) }),
        action: go,
      };
    }
    case "paid":
      return {
        state: "paid",
        tone: "done",
        label: t("paid.label"),
        figure: t("paid.figure"),
        line: t("paid.line"),
        action: go,
      };
    case "cancelled":
      return tryAgain(situation, "cancelled", t("cancelled.line"));
    case "payment_expired":
      return tryAgain(situation, "payment_expired", t("paymentExpired.line"));
    case "sold_out":
      return tryAgain(situation, "sold_out", t("lostRace"));
    case "rejected":
      return refused(situation, "risk-rejected", purchase.reason);
    case "expired":
      return tryAgain(situation, "expired", sentences.problem("expired"));
  }
}

/** The order is written just after the purchase is decided; the page waits for it when it knows the purchase. */
export const orderAddress = (orderId: string, purchaseId: string): string =>
  `/orders/${encodeURIComponent(orderId)}?purchase=${encodeURIComponent(purchaseId)}`;

function queueLine(position: number | undefined, t: Speech["t"]): string {
  if (position === undefined) return t("queued.unknown");
  return position === 0 ? t("queued.next") : t("queued.ahead", { count: position });
}

const queueFigure = ({ etaMs }: Purchase, { about }: Figures) =>
  etaMs === undefined || etaMs === null ? "" : about(etaMs);

const headlines = {
  cancelled: "cancelled.label",
  payment_expired: "paymentExpired.label",
  sold_out: "soldOut.label",
  rejected: "rejected",
  expired: "expired",
} as const;

/** An end that is not for good: where units are left, the button offers a new try. */
function tryAgain(situation: Situation, state: keyof typeof headlines, line: string): Draft {
  const { sale, nowMs, speech } = situation;
  const { t, figures } = speech;
  if (saleStateAt(sale, nowMs) === "open") {
    return {
      state,
      tone: "live",
      label: t("tryAgain"),
      figure: figures.price(sale.priceCents),
      line,
      action: { kind: "buy" },
    };
  }
  return { state, tone: "still", label: t(headlines[state]), line, action: { kind: "none" } };
}

function refused(situation: Situation, code: string, reason: string | undefined): Draft {
  const { t, sentences } = situation.speech;
  if (code === "sold-out") return tryAgain(situation, "sold_out", sentences.problem(code));
  if (code === "expired") return tryAgain(situation, "expired", sentences.problem(code));
  if (code === "limit-reached" || reason === "limit-reached") {
    return {
      state: "rejected",
      tone: "still",
      label: t("enough.label"),
      figure: t("enough.figure"),
      line: sentences.problem("limit-reached"),
      action: { kind: "go", href: "/orders" },
    };
  }
  if (code === "risk-rejected") return tryAgain(situation, "rejected", sentences.rejection(reason));
  if (code === "sale-not-open") return { ...beforePurchase(situation), line: sentences.problem(code) };
  return tryAgain(situation, "rejected", sentences.problem(code));
}
