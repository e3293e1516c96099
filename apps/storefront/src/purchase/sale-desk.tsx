"use client";
/** The living half of a sale page: countdown, stock, the button and the line below it. */
import type { Purchase, Sale } from "@plateau/domain/http";
import { useMemo } from "react";
import { useTranslations } from "use-intl/react";
import { useOnline } from "../browser/use-online.ts";
import { usePolled } from "../browser/use-polled.ts";
import { Price } from "../components/price.tsx";
import { StockBar } from "../components/stock-bar.tsx";
import { isoDuration } from "../language/figures.ts";
import { useFigures, useSentences } from "../language/words-in-browser.tsx";
import { useShopper } from "../session/shopper-context.tsx";
import { useZone } from "../time/clock.tsx";
import type { Moment } from "../time/moment.ts";
import { useCoarseTime } from "../time/use-coarse-time.ts";
import { useServerNow } from "../time/use-server-now.ts";
import { BuyButton, useProgress } from "./buy-button.tsx";
import { CrowdButton } from "./crowd-button.tsx";
import { type Description, describe, type Speech, saleStateAt } from "./describe.ts";
import { NextSteps } from "./next-steps.tsx";
import { usePurchase } from "./use-purchase.ts";
import { useResultFocus } from "./use-result-focus.ts";

export interface SaleDeskProps {
  readonly sale: Sale;
  readonly purchase: Purchase | undefined;
  readonly moment: Moment;
}

/** Live stock once a second while it can change, else now and then. */
const salePauseMs = (sale: Sale): number =>
  sale.state === "open" ? 1_000 : sale.state === "sold_out" ? 2_000 : sale.state === "upcoming" ? 5_000 : 10_000;

export function SaleDesk({ sale: first, purchase, moment }: SaleDeskProps) {
  const { shopper } = useShopper();
  const { value: sale } = usePolled<Sale>(`/api/sales/${encodeURIComponent(first.id)}`, first, salePauseMs);
  const { view, buy } = usePurchase(sale.id, purchase);
  const nowMs = useServerNow(moment.renderedAtMs);
  const zone = useZone(moment);
  const speech = useSpeech();
  const { t } = speech;
  const description = describe({
    speech,
    sale,
    view,
    nowMs,
    signedIn: shopper !== undefined,
    clock: (iso) => speech.figures.clock(iso, "second", zone),
  });
  const progress = useProgress(view.kind === "known" ? view.purchase.position : undefined);
  const { panel, spoken } = useResultFocus(description);
  const online = useOnline();
  const payBefore =
    description.state === "won" && view.kind === "known" ? view.purchase.reservation?.payBefore : undefined;

  return (
    <>
      <Big sale={sale} nowMs={nowMs} payBefore={payBefore} state={description.state} />
      <div className="mt-6 mb-4">
        <Price cents={sale.priceCents} regularCents={sale.regularPriceCents} />
      </div>
      <StockBar sale={sale} />
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset belongs to forms; this is what takes the focus of a result */}
      <div ref={panel} tabIndex={-1} role="group" aria-label={description.announcement} className="mt-6 grid gap-3">
        <BuyButton description={description} progress={progress} onBuy={buy} />
        <p id="purchase-line" className="min-h-12 tabular" data-testid="purchase-line">
          {online
            ? description.line
            : t(description.tone === "wait" || description.tone === "won" ? "offline.waiting" : "offline.idle")}
        </p>
      </div>
      <NextSteps state={description.state} productId={sale.productId} />
      <p className="sr-only" role="status" aria-live="polite">
        {spoken}
      </p>
      <TimeForTheEar sale={sale} nowMs={nowMs} payBefore={payBefore} />
      <div className="mt-4">
        <CrowdButton saleId={sale.id} />
      </div>
    </>
  );
}

function useSpeech(): Speech {
  const t = useTranslations("sale");
  const figures = useFigures();
  const sentences = useSentences();
  return useMemo(() => ({ t, figures, sentences }), [t, figures, sentences]);
}

function TimeForTheEar(props: { readonly sale: Sale; readonly nowMs: number; readonly payBefore: string | undefined }) {
  const { sale, nowMs, payBefore } = props;
  const t = useTranslations("sale.left");
  const { span } = useFigures();
  const opens = saleStateAt(sale, nowMs) === "upcoming";
  const to = payBefore ?? (opens ? sale.startsAt : undefined);
  const mark = useCoarseTime(to === undefined ? undefined : Date.parse(to) - nowMs);
  return (
    <p className="sr-only" role="status">
      {mark === undefined ? "" : t(payBefore === undefined ? "opens" : "pay", { span: span(mark) })}
    </p>
  );
}

/** The largest thing on the page: how long until it opens, closes, or has to be paid. */
function Big(props: {
  readonly sale: Sale;
  readonly nowMs: number;
  readonly payBefore: string | undefined;
  readonly state: Description["state"];
}) {
  const { sale, nowMs, payBefore } = props;
  const t = useTranslations("sale.clock");
  const { countdown } = useFigures();
  const state = saleStateAt(sale, nowMs);
  if (payBefore === undefined && (state === "sold_out" || state === "ended")) {
    return (
      <div className="grid gap-1">
        <p className="label">{state === "sold_out" ? t("allGone") : t("closed")}</p>
        <p className="countdown countdown-huge">{state === "sold_out" ? t("soldOut") : t("over")}</p>
      </div>
    );
  }
  const to = payBefore ?? (state === "upcoming" ? sale.startsAt : sale.endsAt);
  const words = payBefore !== undefined ? t("payWithin") : state === "upcoming" ? t("opensIn") : t("closesIn");
  const left = Date.parse(to) - nowMs;
  return (
    <div className="grid gap-1">
      <p className="label">{words}</p>
      <p className="countdown countdown-huge">
        <time role="timer" aria-live="off" dateTime={isoDuration(left)}>
          {countdown(left)}
        </time>
      </p>
    </div>
  );
}
