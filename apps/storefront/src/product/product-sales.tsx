"use client";
/** The sales of one product, alive: what runs, what comes, what has been. */
import type { Sale } from "@plateau/domain/http";
import Link from "next/link";
import { useTranslations } from "use-intl/react";
import { usePolled } from "../browser/use-polled.ts";
import { Price } from "../components/price.tsx";
import { StockBar } from "../components/stock-bar.tsx";
import { useFigures } from "../language/words-in-browser.tsx";
import { saleStateAt } from "../purchase/describe.ts";
import { salesOfProduct } from "../shop/arrange.ts";
import { Outcome } from "../shop/gone.tsx";
import { RemindButton } from "../shop/reminders.tsx";
import { Clock, Countdown } from "../time/clock.tsx";
import type { Moment } from "../time/moment.ts";
import { useServerNow } from "../time/use-server-now.ts";

export interface ProductSalesProps {
  readonly productId: string;
  readonly sales: { readonly sales: readonly Sale[] };
  readonly moment: Moment;
}

const pauseMs = () => 2_000;

export function ProductSales({ productId, sales: first, moment }: ProductSalesProps) {
  const t = useTranslations("shop.product");
  const { value } = usePolled("/api/sales", first, pauseMs);
  const now = useServerNow(moment.renderedAtMs);
  const current = value.sales.map((sale) => ({ ...sale, state: saleStateAt(sale, now) }));
  const { running, next, past } = salesOfProduct(productId, current);
  return (
    <section className="mt-10 grid grid-cols-1 gap-10" aria-labelledby="sales-title">
      <h2 id="sales-title" className="sr-only">
        {t("sales")}
      </h2>
      {running.map((sale) => (
        <Running key={sale.id} sale={sale} moment={moment} />
      ))}
      {running.length === 0 && next.length === 0 ? <p className="text-ink-soft">{t("none")}</p> : null}
      {next.length === 0 ? null : (
        <SaleRows title={t("next")} sales={next} moment={moment}>
          {(sale) => <RemindButton sale={sale} />}
        </SaleRows>
      )}
      {past.length === 0 ? null : (
        <SaleRows title={t("past")} sales={past} moment={moment}>
          {(sale) => (
            <span className="text-s text-ink-soft tabular">
              <Outcome sale={sale} />
            </span>
          )}
        </SaleRows>
      )}
    </section>
  );
}

function Running({ sale, moment }: { readonly sale: Sale; readonly moment: Moment }) {
  const t = useTranslations("shop");
  const { count } = useFigures();
  return (
    <div className="grid grid-cols-1 gap-4">
      <div className="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-1">
        <p className="now">{t("lead.open")}</p>
        <p className="label tabular">
          {t("closesIn")} <Countdown to={sale.endsAt} moment={moment} />
        </p>
      </div>
      <Price cents={sale.priceCents} regularCents={sale.regularPriceCents} />
      <StockBar sale={sale} />
      <Link className="act" data-tone="live" href={addressOf(sale)} prefetch={false}>
        <span className="act-label">{t("act.open")}</span>
        <span className="act-figure">{t("left", { count: count(sale.available) })}</span>
      </Link>
    </div>
  );
}

function SaleRows(props: {
  readonly title: string;
  readonly sales: readonly Sale[];
  readonly moment: Moment;
  readonly children: (sale: Sale) => React.ReactNode;
}) {
  const { title, sales, moment, children } = props;
  const t = useTranslations("shop.product");
  const { price, units } = useFigures();
  return (
    <div>
      <h3 className="mb-2 text-m font-semibold">{title}</h3>
      <ul className="product-sales">
        {sales.map((sale) => (
          <li key={sale.id}>
            <Link href={addressOf(sale)} prefetch={false} className="product-sale-time">
              <Clock at={sale.startsAt} grain="date" moment={moment} />
            </Link>
            <span className="text-ink-soft tabular">
              {t("terms", { units: units(sale.stock), price: price(sale.priceCents) })}
            </span>
            {children(sale)}
          </li>
        ))}
      </ul>
    </div>
  );
}

const addressOf = (sale: Sale) => `/sales/${encodeURIComponent(sale.id)}`;
