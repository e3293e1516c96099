"use client";
/** What became of everybody's requests in one sale, as a small table that fills while the sale runs. */
import type { SaleStatistics } from "@plateau/domain/http";
import { useState } from "react";
import { usePolled } from "../browser/use-polled.ts";
import { countText, priceText } from "../text/figures.ts";
import { refusalText } from "../text/refusals.ts";

const pauseMs = () => 3_000;

const none = (saleId: string): SaleStatistics => ({
  saleId,
  windows: [],
  totals: { arrivals: 0, requests: 0, won: 0, refused: {}, soldUnits: 0, revenueCents: 0 },
});

export function SaleFigures({
  saleId,
  initial,
}: {
  readonly saleId: string;
  readonly initial: SaleStatistics | undefined;
}) {
  const [empty] = useState(() => none(saleId));
  const { value } = usePolled<SaleStatistics>(
    `/api/sales/${encodeURIComponent(saleId)}/statistics`,
    initial ?? empty,
    pauseMs,
  );
  const { arrivals, requests, won, refused, soldUnits, revenueCents } = value.totals;
  const rows: readonly (readonly [string, string])[] = [
    ["Arrived", countText(arrivals)],
    ["Queued", countText(requests)],
    ["Won", countText(won)],
    ...Object.entries(refused)
      .filter(([, count]) => count > 0)
      .toSorted(([, a], [, b]) => b - a)
      .map(([reason, count]) => [refusalText(reason), countText(count)] as const),
    ["Units sold", countText(soldUnits)],
    ["Taken in", priceText(revenueCents)],
  ];
  return (
    <section className="mt-10" aria-labelledby="figures-title" data-testid="sale-figures">
      <h2 id="figures-title" className="mb-2 text-m font-semibold">
        How it went for everybody
      </h2>
      <table className="figures text-s">
        <tbody>
          {rows.map(([name, figure]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{figure}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
