import type { Sale } from "@plateau/domain/http";
import { countText, unitsText } from "../text/figures.ts";

/** Units left as a thin bar: available, then reserved; what is missing is sold. The words say the same. */
export function StockBar({ sale }: { readonly sale: Sale }) {
  const percent = (units: number) => `${(100 * units) / sale.stock}%`;
  return (
    <div className="grid gap-2">
      <p className="flex flex-wrap items-baseline justify-between gap-x-4 tabular">
        <span>
          <strong className="font-semibold">{countText(sale.available)}</strong> of {unitsText(sale.stock)} left
        </span>
        <span className="text-s text-ink-soft">
          {countText(sale.reserved)} reserved, {countText(sale.sold)} sold
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
