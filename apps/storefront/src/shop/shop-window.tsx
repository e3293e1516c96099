"use client";
/** The shop's first page, alive: the running sale, the timetable, what has gone, the shelf. One poll for all of it. */
import type { Product, Sale } from "@plateau/domain/http";
import Link from "next/link";
import { useEffect, useState } from "react";
import { useTranslations } from "use-intl/react";
import { usePolled } from "../browser/use-polled.ts";
import { Price } from "../components/price.tsx";
import { StockBar } from "../components/stock-bar.tsx";
import { useFigures } from "../language/words-in-browser.tsx";
import { Picture } from "../pictures/picture.tsx";
import { saleStateAt } from "../purchase/describe.ts";
import { Countdown, useZone } from "../time/clock.tsx";
import type { Moment } from "../time/moment.ts";
import { useServerNow } from "../time/use-server-now.ts";
import { arrange } from "./arrange.ts";
import { Gone } from "./gone.tsx";
import { Shelf } from "./shelf.tsx";
import { Timetable } from "./timetable.tsx";
import { useProductText } from "./use-product-text.ts";

export interface ShopWindowProps {
  readonly sales: { readonly sales: readonly Sale[] };
  readonly products: readonly Product[];
  readonly moment: Moment;
}

const pauseMs = () => 1_500;

export function ShopWindow({ sales: first, products, moment }: ShopWindowProps) {
  const { value } = usePolled("/api/sales", first, pauseMs);
  const now = useServerNow(moment.renderedAtMs);
  const sales = value.sales.map((sale) => ({ ...sale, state: saleStateAt(sale, now) }));
  const [leadId, setLeadId] = useState(() => arrange(sales).lead?.id);
  const { lead, alsoOpen, next, gone } = arrange(sales, leadId);
  useEffect(() => setLeadId(lead?.id), [lead?.id]);

  return (
    <>
      {lead === undefined ? (
        <NothingPlanned />
      ) : (
        <Lead sale={lead} product={productOf(lead, products)} moment={moment} />
      )}
      <div className="page grid grid-cols-1 gap-20 pt-16">
        <Timetable alsoOpen={alsoOpen} next={next} moment={moment} />
        <Gone sales={gone} moment={moment} />
        <Shelf products={products} sales={sales} moment={moment} />
      </div>
    </>
  );
}

const productOf = (sale: Sale, products: readonly Product[]) =>
  products.find((product) => product.id === sale.productId);

function Lead(props: { readonly sale: Sale; readonly product: Product | undefined; readonly moment: Moment }) {
  const { sale, product, moment } = props;
  const t = useTranslations("shop");
  const text = useProductText();
  return (
    <section className="stage" aria-labelledby="lead-title">
      <div className="stage-picture">
        <Picture name={sale.picture} />
      </div>
      <div className="stage-facts">
        <p className={sale.state === "open" ? "now" : "now quiet"}>{t(`lead.${sale.state}`)}</p>
        <h1 id="lead-title" className="mt-3 text-2xl sm:text-3xl lg:text-4xl">
          {text.title(sale)}
        </h1>
        {product === undefined ? null : (
          <p className="mt-4 hidden max-w-md text-ink-soft sm:block">{text.description(product)}</p>
        )}
        <div className="mt-6">
          <Price cents={sale.priceCents} regularCents={sale.regularPriceCents} />
        </div>
        <LeadClock sale={sale} moment={moment} />
        <div className="mt-6">
          <StockBar sale={sale} />
        </div>
        <Link
          className="act mt-6"
          data-tour="queue"
          data-tone={sale.state === "open" ? "live" : "still"}
          href={`/sales/${encodeURIComponent(sale.id)}`}
          prefetch={false}
        >
          <span className="act-label">{t(`act.${sale.state}`)}</span>
          <span className="act-figure">
            <LeadFigure sale={sale} moment={moment} />
          </span>
        </Link>
      </div>
    </section>
  );
}

function LeadFigure({ sale, moment }: { readonly sale: Sale; readonly moment: Moment }) {
  const zone = useZone(moment);
  const t = useTranslations("shop");
  const { clock, count } = useFigures();
  if (sale.state === "upcoming") return clock(sale.startsAt, "minute", zone);
  return sale.state === "open" ? t("left", { count: count(sale.available) }) : "";
}

function LeadClock({ sale, moment }: { readonly sale: Sale; readonly moment: Moment }) {
  const t = useTranslations("shop");
  if (sale.state === "sold_out" || sale.state === "ended") {
    return <p className="countdown countdown-large mt-6">{sale.state === "sold_out" ? t("soldOut") : t("over")}</p>;
  }
  return (
    <div className="mt-6">
      <p className="label">{sale.state === "open" ? t("closesIn") : t("opensIn")}</p>
      <p className="countdown countdown-large">
        <Countdown to={sale.state === "open" ? sale.endsAt : sale.startsAt} moment={moment} />
      </p>
    </div>
  );
}

function NothingPlanned() {
  const t = useTranslations("shop.nothingPlanned");
  return (
    <section className="page lead-in">
      <h1>{t("title")}</h1>
      <p className="max-w-xl text-ink-soft">{t("text")}</p>
    </section>
  );
}
