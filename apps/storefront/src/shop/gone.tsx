"use client";
/** What is gone: the last sales, each with its picture and how it went. */
import type { Sale } from "@plateau/domain/http";
import Link from "next/link";
import { useTranslations } from "use-intl/react";
import { useFigures } from "../language/words-in-browser.tsx";
import { Picture } from "../pictures/picture.tsx";
import { Clock } from "../time/clock.tsx";
import type { Moment } from "../time/moment.ts";
import { useProductText } from "./use-product-text.ts";

export function Gone({ sales, moment }: { readonly sales: readonly Sale[]; readonly moment: Moment }) {
  const t = useTranslations("shop.gone");
  const text = useProductText();
  if (sales.length === 0) return null;
  return (
    <section aria-labelledby="gone-title">
      <div className="section-head">
        <h2 id="gone-title">{t("title")}</h2>
        <p className="label">{t("note")}</p>
      </div>
      <ul className="gone-list">
        {sales.map((sale) => (
          <li key={sale.id}>
            <Link href={`/sales/${encodeURIComponent(sale.id)}`} prefetch={false} className="gone-row">
              <span className="gone-picture">
                <Picture name={sale.picture} />
              </span>
              <span className="min-w-0">
                <span className="gone-name">{text.title(sale)}</span>
                <span className="label block tabular">
                  <Outcome sale={sale} />
                </span>
              </span>
              <span className="label tabular">
                <Clock at={sale.startsAt} grain="minute" moment={moment} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** How many went; what is reserved may come back. */
export function Outcome({ sale }: { readonly sale: Sale }) {
  const t = useTranslations("shop.gone");
  const { count, units } = useFigures();
  if (sale.sold === sale.stock) return t("all", { units: units(sale.stock) });
  if (sale.reserved > 0) return t("held", { reserved: count(sale.reserved), sold: count(sale.sold) });
  return t("some", { sold: count(sale.sold), units: units(sale.stock) });
}
