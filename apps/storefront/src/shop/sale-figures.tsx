"use client";
/** What became of everybody's requests in one sale, as a small table that fills while the sale runs. */
import type { SaleStatistics } from "@plateau/domain/http";
import { useState } from "react";
import { useTranslations } from "use-intl/react";
import { usePolled } from "../browser/use-polled.ts";
import { useFigures, useSentences } from "../language/words-in-browser.tsx";

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
  const t = useTranslations("sale.figures");
  const { count: written, price } = useFigures();
  const { refusal } = useSentences();
  const [empty] = useState(() => none(saleId));
  const { value } = usePolled<SaleStatistics>(
    `/api/sales/${encodeURIComponent(saleId)}/statistics`,
    initial ?? empty,
    pauseMs,
  );
  const { arrivals, requests, won, refused, soldUnits, revenueCents } = value.totals;
  const rows: readonly (readonly [string, string])[] = [
    [t("arrived"), written(arrivals)],
    [t("queued"), written(requests)],
    [t("won"), written(won)],
    ...Object.entries(refused)
      .filter(([, count]) => count > 0)
      .toSorted(([, a], [, b]) => b - a)
      .map(([reason, count]) => [refusal(reason), written(count)] as const),
    [t("unitsSold"), written(soldUnits)],
    [t("takenIn"), price(revenueCents)],
  ];
  return (
    <section className="mt-10" aria-labelledby="figures-title" data-testid="sale-figures">
      <h2 id="figures-title" className="mb-2 text-m font-semibold">
        {t("title")}
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
