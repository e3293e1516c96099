import type { Product, Purchase, Sale, SaleStatistics } from "@plateau/domain/http";
import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { cache } from "react";
import { createProductText } from "../../../language/product-text.ts";
import { translator } from "../../../language/server.ts";
import { Words } from "../../../language/words.tsx";
import { Picture } from "../../../pictures/picture.tsx";
import { purchaseToShow } from "../../../purchase/purchase-to-show.ts";
import { SaleDesk } from "../../../purchase/sale-desk.tsx";
import { ask, askOrThrow } from "../../../server/backend.ts";
import { currentMoment } from "../../../server/moment.ts";
import { SaleFacts } from "../../../shop/sale-facts.tsx";
import { SaleFigures } from "../../../shop/sale-figures.tsx";

interface Props {
  readonly params: Promise<{ readonly id: string }>;
}

/** One question per request, shared by the title and the page. Throws Next's not-found for a sale nobody knows. */
const saleOf = cache(async (id: string): Promise<Sale> => {
  const answer = await ask<Sale>(`/api/sales/${encodeURIComponent(id)}`);
  if (answer.ok) return answer.body;
  if (answer.status === 404 || answer.status === 400) notFound();
  throw new Error(`The gateway answered sale ${id} with ${answer.status}`);
});

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { id } = await params;
  const [sale, catalogue] = await Promise.all([saleOf(decodeURIComponent(id)), translator("catalogue")]);
  return { title: createProductText(catalogue).title(sale) };
}

export default async function SalePage({ params }: Props) {
  const { id: encodedId } = await params;
  const id = decodeURIComponent(encodedId);
  const address = `/api/sales/${encodeURIComponent(id)}` as const;
  const [sale, own, { products }, statistics, moment, catalogue] = await Promise.all([
    saleOf(id),
    ask<{ purchases: Purchase[] }>(`${address}/purchases`),
    askOrThrow<{ products: Product[] }>("/api/products"),
    ask<SaleStatistics>(`${address}/statistics`),
    currentMoment(),
    translator("catalogue"),
  ]);
  const text = createProductText(catalogue);
  const product = products.find(({ id: productId }) => productId === sale.productId);
  return (
    <div className="stage">
      <div className="stage-picture sticky">
        <Picture name={sale.picture} />
      </div>
      <div className="stage-facts top">
        <h1 className="mb-6 text-2xl">{text.title(sale)}</h1>
        <Words of={["sale"]}>
          <SaleDesk
            key={sale.id}
            sale={sale}
            purchase={own.ok ? purchaseToShow(own.body.purchases) : undefined}
            moment={moment}
          />
          <SaleFacts
            sale={sale}
            description={product === undefined ? undefined : text.description(product)}
            moment={moment}
          />
          <SaleFigures saleId={sale.id} initial={statistics.ok ? statistics.body : undefined} />
        </Words>
      </div>
    </div>
  );
}
