"use client";
import type { Product, Sale } from "@plateau/domain/http";
import Link from "next/link";
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

export function Shelf(props: ShelfProps) {
  const t = useTranslations("shop.shelf");
  return (
    <section aria-labelledby="shelf" className="scroll-mt-6">
      <div className="section-head">
        <h2 id="shelf">{t("title")}</h2>
        <p className="label">{t("note", { count: props.products.length })}</p>
      </div>
      <div className="pt-8">
        <ShelfTiles {...props} heading="h3" />
      </div>
    </section>
  );
}

export function ShelfTiles(props: ShelfProps & { readonly heading: "h2" | "h3" }) {
  const { products, sales, moment, heading: Heading } = props;
  const { price } = useFigures();
  const text = useProductText();
  const zone = useZone(moment);
  return (
    <ul className="shelf">
      {products.map((product) => {
        const sale = saleOfProduct(product, sales);
        return (
          <li key={product.id}>
            <Link href={`/products/${encodeURIComponent(product.id)}`} prefetch={false}>
              <div className="shelf-panel">
                <Picture name={product.picture} />
              </div>
              <div className="shelf-words">
                <Heading className="shelf-name text-m font-medium tracking-normal">
                  {text.title({ productId: product.id, title: product.title })}
                </Heading>
                <p className="tabular">{price(sale?.priceCents ?? product.priceCents)}</p>
              </div>
              <p className="label">
                <Standing sale={sale} zone={zone} />
              </p>
            </Link>
          </li>
        );
      })}
    </ul>
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
