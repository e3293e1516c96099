"use client";
import type { Sale } from "@plateau/domain/http";
import { useTranslations } from "use-intl/react";
import { useFigures } from "../language/words-in-browser.tsx";

/** Units left as a thin bar: available, then reserved; what is missing is sold. The words say the same. */
export function StockBar({ sale }: { readonly sale: Sale }) {
  const { count, units } = useFigures();
  const t = useTranslations("shell.stock");
  const percent = (units: number) => `${(100 * units) / sale.stock}%`;
  return (
    <div className="grid gap-2">
      <p className="flex flex-wrap items-baseline justify-between gap-x-4 tabular">
        <span>
          {t.rich("left", {
            available: count(sale.available),
            units: units(sale.stock),
            strong: (text) => <strong className="font-semibold">{text}</strong>,
          })}
        </span>
        <span className="text-s text-ink-soft">
          {t("gone", { reserved: count(sale.reserved), sold: count(sale.sold) })}
        </span>
      </p>
      <svg className="stock-bar" aria-hidden="true" focusable="false">
        <rect className="whole" width="100%" height="100%" />
        <rect className="left" width={percent(sale.available)} height="100%" />
        <rect className="held" x={percent(sale.available)} width={percent(sale.reserved)} height="100%" />
      </svg>
    </div>
  );
}
