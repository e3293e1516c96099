import type { Product, Sale } from "@plateau/domain/http";
import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { cache } from "react";
import { createProductText } from "../../../language/product-text.ts";
import { figures, translator } from "../../../language/server.ts";
import { Words } from "../../../language/words.tsx";
import { Picture } from "../../../pictures/picture.tsx";
import { ProductSales } from "../../../product/product-sales.tsx";
import { ask, askOrThrow } from "../../../server/backend.ts";
import { currentMoment } from "../../../server/moment.ts";

interface Props {
  readonly params: Promise<{ readonly id: string }>;
}

/** One question per request, shared by the title and the page. Throws Next's not-found for a product nobody knows. */
const productOf = cache(async (id: string): Promise<Product> => {
  const answer = await ask<Product>(`/api/products/${encodeURIComponent(id)}`);
  if (answer.ok) return answer.body;
  if (answer.status === 404 || answer.status === 400) notFound();
  throw new Error(`The gateway answered product ${id} with ${answer.status}`);
});

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { id } = await params;
  const [product, catalogue] = await Promise.all([productOf(decodeURIComponent(id)), translator("catalogue")]);
  const text = createProductText(catalogue);
  return { title: text.title({ productId: product.id, title: product.title }), description: text.description(product) };
}

export default async function ProductPage({ params }: Props) {
  const id = decodeURIComponent((await params).id);
  const [product, sales, moment, t, catalogue, { price }] = await Promise.all([
    productOf(id),
    askOrThrow<{ sales: Sale[] }>("/api/sales"),
    currentMoment(),
    translator("shop"),
    translator("catalogue"),
    figures(),
  ]);
  const text = createProductText(catalogue);
  return (
    <div className="stage">
      <div className="stage-picture sticky">
        <Picture name={product.picture} />
      </div>
      <div className="stage-facts top">
        <Link href="/" prefetch={false} className="text-link inline-flex min-h-11 items-center self-start text-s">
          {t("product.toShelf")}
        </Link>
        <h1 className="mt-3 text-3xl lg:text-4xl">{text.title({ productId: product.id, title: product.title })}</h1>
        <p className="mt-4 max-w-lg">{text.description(product)}</p>
        <p className="mt-4 text-ink-soft tabular">{t("product.usualPrice", { price: price(product.priceCents) })}</p>
        <Words of={["shop", "catalogue"]}>
          <ProductSales productId={product.id} sales={sales} moment={moment} />
        </Words>
      </div>
    </div>
  );
}
