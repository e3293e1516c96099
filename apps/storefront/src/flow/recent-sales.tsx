"use client";
import type { Sale, SaleStatistics } from "@plateau/domain/http";
import Link from "next/link";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { usePolled } from "../browser/use-polled.ts";
import { useFigures } from "../language/words-in-browser.tsx";
import { Clock } from "../time/clock.tsx";
import type { Moment } from "../time/moment.ts";

const shown = 6;
const salesPauseMs = () => 5_000;
const statisticsPauseMs = () => 5_000;

export function RecentSales(props: { readonly sales: { readonly sales: readonly Sale[] }; readonly moment: Moment }) {
  const words = useTranslations("live.sales");
  const { value } = usePolled("/api/sales", props.sales, salesPauseMs);
  const recent = value.sales
    .filter(({ state }) => state !== "upcoming")
    .toSorted((a, b) => Date.parse(b.startsAt) - Date.parse(a.startsAt))
    .slice(0, shown);
  return (
    <div>
      <div className="section-head">
        <h2 id="sales-title">{words("title")}</h2>
        <p className="label">{words("counted")}</p>
      </div>
      {recent.length === 0 ? (
        <p className="py-6 text-ink-soft">{words("none")}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section className="sideways" tabIndex={0} aria-labelledby="sales-title">
          <table className="figures text-s">
            <thead>
              <tr>
                <th scope="col">{words("sale")}</th>
                <th scope="col">{words("opened")}</th>
                <th scope="col">{words("units")}</th>
                <th scope="col">{words("arrived")}</th>
                <th scope="col">{words("queued")}</th>
                <th scope="col">{words("won")}</th>
                <th scope="col">{words("refused")}</th>
                <th scope="col">{words("sold")}</th>
                <th scope="col">{words("taken")}</th>
              </tr>
            </thead>
            <tbody>
              {recent.map((sale) => (
                <Row key={sale.id} sale={sale} moment={props.moment} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  );
}

function Row({ sale, moment }: { readonly sale: Sale; readonly moment: Moment }) {
  const figures = useFigures();
  const [initial] = useState<SaleStatistics | undefined>(undefined);
  const { value } = usePolled<SaleStatistics | undefined>(
    `/api/sales/${encodeURIComponent(sale.id)}/statistics`,
    initial,
    statisticsPauseMs,
    "at once",
  );
  const totals = value?.totals;
  const count = (of: number | undefined) => (of === undefined ? "–" : figures.count(of));
  const refused = totals === undefined ? undefined : Object.values(totals.refused).reduce((sum, n) => sum + n, 0);
  return (
    <tr>
      <th scope="row">
        <Link
          className="text-link inline-flex min-h-11 items-center"
          href={`/sales/${encodeURIComponent(sale.id)}`}
          prefetch={false}
        >
          {sale.title}
        </Link>
      </th>
      <td>
        <Clock at={sale.startsAt} grain="minute" moment={moment} />
      </td>
      <td>{figures.count(sale.stock)}</td>
      <td>{count(totals?.arrivals)}</td>
      <td>{count(totals?.requests)}</td>
      <td>{count(totals?.won)}</td>
      <td>{count(refused)}</td>
      <td>{count(totals?.soldUnits)}</td>
      <td>{totals === undefined ? "–" : figures.price(totals.revenueCents)}</td>
    </tr>
  );
}
