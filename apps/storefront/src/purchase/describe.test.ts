import type { Purchase, Sale } from "@plateau/domain/http";
import { purchaseStates } from "@plateau/domain/http";
import { rejectionReasons } from "@plateau/domain/messages";
import { problems } from "@plateau/domain/problems";
import { createTranslator } from "use-intl/core";
import { expect, describe as suite, test } from "vitest";
import { createFigures } from "../language/figures.ts";
import { type Language, languages } from "../language/languages.ts";
import { messages } from "../language/messages.ts";
import { createSentences } from "../language/sentences.ts";
import { describe, type Situation, type Speech } from "./describe.ts";
import type { View } from "./submit.ts";

const opensMs = Date.parse("2026-03-01T12:00:00Z");
const sale: Sale = {
  id: "s_1",
  productId: "tent",
  title: "Tent",
  picture: "tent",
  priceCents: 29_000,
  regularPriceCents: 46_000,
  stock: 10,
  available: 4,
  reserved: 2,
  sold: 4,
  perUserLimit: 1,
  startsAt: new Date(opensMs).toISOString(),
  endsAt: new Date(opensMs + 600_000).toISOString(),
  paymentTimeoutMs: 120_000,
  state: "open",
  crowd: 0,
  house: false,
};
const purchase: Purchase = { id: "s_1.x", saleId: "s_1", userId: "u_1", quantity: 1, state: "queued" };
const gone: Sale = { ...sale, available: 0, state: "sold_out" };

function speechOf(language: Language): Speech {
  const base = { locale: language, messages: messages[language] };
  return {
    t: createTranslator({ ...base, namespace: "sale" }),
    figures: createFigures(language, createTranslator({ ...base, namespace: "words" })),
    sentences: createSentences(createTranslator({ ...base, namespace: "errors" })),
  };
}

const english = speechOf("en");

const at = (part: Partial<Situation>) =>
  describe({
    speech: english,
    sale,
    view: { kind: "idle" },
    nowMs: opensMs + 1_000,
    signedIn: true,
    clock: (iso) => iso.slice(11, 19),
    ...part,
  });

test("a sale that the server has called open stays open though the page's clock, in whole seconds, lags", () => {
  const justOpened = { ...sale, startsAt: new Date(opensMs + 300).toISOString() };
  expect(at({ sale: justOpened, nowMs: opensMs })).toMatchObject({ state: "open", action: { kind: "buy" } });
});
const known = (part: Partial<Purchase>): View => ({ kind: "known", purchase: { ...purchase, ...part } });

test("before it opens the button counts down, and opens by the clock alone", () => {
  const before = at({ sale: { ...sale, state: "upcoming" }, nowMs: opensMs - 61_000 });
  expect(before).toMatchObject({ state: "upcoming", figure: "01:01", action: { kind: "none" } });
  expect(at({ sale: { ...sale, state: "upcoming" }, nowMs: opensMs })).toMatchObject({
    state: "open",
    label: "Buy one",
  });
});

test("signed out, the same click signs in and buys", () => {
  expect(at({ signedIn: false })).toMatchObject({ label: "Sign in and buy", action: { kind: "buy" } });
});

test("in the queue it says how many are ahead, about how long, and that nothing is charged", () => {
  const { line, figure } = at({ view: known({ position: 3_204, etaMs: 2_400 }) });
  expect(line).toBe("About 3,204 requests are ahead of you. Nothing is charged while you wait.");
  expect(figure).toBe("about 2 s");
  expect(at({ view: known({ position: 5, etaMs: null }) }).figure).toBe("");
  expect(at({ view: known({ position: 1 }) }).line).toMatch(/^About 1 request is ahead/);
});

test("a win leads to its order and counts down to the end of the reservation", () => {
  const reservation = { id: "s_1.x", payBefore: new Date(opensMs + 91_000).toISOString() };
  const shown = at({ view: known({ state: "won", reservation, orderId: "o_1" }) });
  expect(shown).toMatchObject({ state: "won", label: "Pay €290.00", figure: "01:30" });
  expect(shown.action).toEqual({ kind: "go", href: "/orders/o_1?purchase=s_1.x" });
});

test("an end that is not for good offers a new try while units are left, and only then", () => {
  for (const state of ["sold_out", "cancelled", "payment_expired", "expired"] as const) {
    expect(at({ view: known({ state }) }).action, state).toEqual({ kind: "buy" });
    expect(at({ view: known({ state }), sale: gone }).action, state).toEqual({ kind: "none" });
    expect(at({ view: known({ state }), nowMs: opensMs + 700_000 }).action, state).toEqual({ kind: "none" });
  }
});

suite.each(languages)(
  "whatever happens, in %s the button has a label and the line a whole calm sentence",
  (language) => {
    const speech = speechOf(language);
    const views: View[] = [
      { kind: "idle" },
      { kind: "submitting" },
      { kind: "lost" },
      { kind: "stuck" },
      { kind: "held", code: "throttled", forMs: 1_200 },
      ...purchaseStates.map((state) => known({ state })),
      ...rejectionReasons.map((reason) => known({ state: "rejected", reason })),
      ...Object.keys(problems).map((code): View => ({ kind: "refused", code: code as keyof typeof problems })),
    ];
    test.each(views.map((view) => [JSON.stringify(view), view] as const))("%s", (_name, view) => {
      for (const part of [{}, { sale: gone }, { nowMs: opensMs - 5_000 }, { nowMs: opensMs + 700_000 }]) {
        const { label, line } = at({ view, speech, ...part });
        expect(label).toMatch(/^\S.*\S$/);
        expect(line).toMatch(language === "zh" ? /^\P{P}.*。$/u : /^[A-Z0-9].*\.$/);
        expect(`${label} ${line}`).not.toMatch(/!|undefined|NaN|\{/);
      }
    });
  },
);
