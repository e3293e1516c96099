"use client";
import type { Product, Sale } from "@plateau/domain/http";
import Link from "next/link";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl/react";
import { useFigures } from "../language/words-in-browser.tsx";
import { Picture } from "../pictures/picture.tsx";
import { useZone } from "../time/clock.tsx";
import type { Moment } from "../time/moment.ts";
import { saleOfProduct } from "./arrange.ts";
import { useProductText } from "./use-product-text.ts";

export interface ShelfProps {
  readonly products: readonly Product[];
  readonly sales: readonly Sale[];
  readonly moment: Moment;
}

export function Shelf({ products, sales, moment }: ShelfProps) {
  const zone = useZone(moment);
  const t = useTranslations("shop.shelf");
  const { price } = useFigures();
  const text = useProductText();
  return (
    <section aria-labelledby="shelf-title">
      <div className="section-head">
        <h2 id="shelf-title">{t("title")}</h2>
        <p className="label">{t("note", { count: products.length })}</p>
      </div>
      <ul className="shelf pt-8">
        {products.map((product) => {
          const sale = saleOfProduct(product, sales);
          return (
            <li key={product.id}>
              <Tile sale={sale}>
                <div className="shelf-panel">
                  <Picture name={product.picture} />
                </div>
                <div className="shelf-words">
                  <h3 className="shelf-name text-m font-medium tracking-normal">
                    {text.title({ productId: product.id, title: product.title })}
                  </h3>
                  <p className="tabular">{price(sale?.priceCents ?? product.priceCents)}</p>
                </div>
                <p className="label">
                  <Standing sale={sale} zone={zone} />
                </p>
              </Tile>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Tile({ sale, children }: { readonly sale: Sale | undefined; readonly children: ReactNode }) {
  if (sale === undefined) return <div>{children}</div>;
  return (
    <Link href={`/sales/${encodeURIComponent(sale.id)}`} prefetch={false}>
      {children}
    </Link>
  );
}

function Standing({ sale, zone }: { readonly sale: Sale | undefined; readonly zone: string | undefined }) {
  const t = useTranslations("shop.shelf");
  const { clock } = useFigures();
  switch (sale?.state) {
    case "open":
      return <span className="text-signal-text">{t("running")}</span>;
    case "upcoming":
      return t("opensAt", { time: clock(sale.startsAt, "minute", zone) });
    case "sold_out":
      return t("soldOut");
    default:
      return t("notToday");
  }
}
