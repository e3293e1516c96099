"use client";
import type { Product, Sale } from "@plateau/domain/http";
import Link from "next/link";
import type { ReactNode } from "react";
import { Picture } from "../pictures/picture.tsx";
import { priceText } from "../text/figures.ts";
import { useZone } from "../time/clock.tsx";
import { clockText } from "../time/format.ts";
import type { Moment } from "../time/moment.ts";
import { saleOfProduct } from "./arrange.ts";

export interface ShelfProps {
  readonly products: readonly Product[];
  readonly sales: readonly Sale[];
  readonly moment: Moment;
}

export function Shelf({ products, sales, moment }: ShelfProps) {
  const zone = useZone(moment);
  return (
    <section aria-labelledby="shelf-title">
      <div className="section-head">
        <h2 id="shelf-title">The shelf</h2>
        <p className="label">{products.length} things, each released a few at a time</p>
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
                  <h3 className="shelf-name text-m font-medium tracking-normal">{product.title}</h3>
                  <p className="tabular">{priceText(sale?.priceCents ?? product.priceCents)}</p>
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
  switch (sale?.state) {
    case "open":
      return <span className="text-signal-text">Running now</span>;
    case "upcoming":
      return <>Opens at {clockText(sale.startsAt, "minute", zone)}</>;
    case "sold_out":
      return <>Sold out</>;
    default:
      return <>Not on sale today</>;
  }
}
