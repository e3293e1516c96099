import type { Product, Sale } from "@plateau/domain/http";
import type { Metadata } from "next";
import Link from "next/link";
import { productTextIn, translator } from "../../language/server.ts";
import { Words } from "../../language/words.tsx";
import { find } from "../../search/find.ts";
import { SearchForm } from "../../search/search-form.tsx";
import { askOrThrow } from "../../server/backend.ts";
import { currentMoment } from "../../server/moment.ts";
import { ShelfTiles } from "../../shop/shelf.tsx";

interface Props {
  readonly searchParams: Promise<{ readonly q?: string | string[] }>;
}

const queryOf = async ({ searchParams }: Props) => [(await searchParams).q ?? ""].flat()[0]?.trim() ?? "";

export async function generateMetadata(props: Props): Promise<Metadata> {
  const [query, t] = await Promise.all([queryOf(props), translator("shop")]);
  return { title: query === "" ? t("search.title") : t("search.titleOf", { query }) };
}

export default async function SearchPage(props: Props) {
  const [query, { products }, { sales }, moment, t] = await Promise.all([
    queryOf(props),
    askOrThrow<{ products: Product[] }>("/api/products"),
    askOrThrow<{ sales: Sale[] }>("/api/sales"),
    currentMoment(),
    translator("shop"),
  ]);
  const found = find(products.map(inAllLanguages), query).map(({ product }) => product);
  return (
    <div className="page">
      <div className="lead-in">
        <h1>{t("search.title")}</h1>
        <Words of={["shop"]}>
          <SearchForm className="search-form large" label={t("search.title")} query={query} />
        </Words>
        <p className="text-ink-soft" role="status">
          {query === "" ? t("search.hint") : t("search.count", { count: found.length, query })}
        </p>
      </div>
      <Words of={["shop", "catalogue"]}>
        {found.length === 0 ? <NothingFound products={products} /> : null}
        <ShelfTiles products={found} sales={sales} moment={moment} heading="h2" />
      </Words>
    </div>
  );
}

function inAllLanguages(product: Product) {
  const texts = productTextIn(product);
  return {
    product,
    names: [product.title, ...texts.map(({ title }) => title)],
    descriptions: [product.description, ...texts.map(({ description }) => description)],
  };
}

/** A way on: some names that do stand on the shelf. */
async function NothingFound({ products }: { readonly products: readonly Product[] }) {
  const t = await translator("shop");
  return (
    <div className="grid justify-items-start gap-6 pb-16">
      <p className="max-w-xl text-ink-soft">{t("search.nothing")}</p>
      <Link href="/#shelf" prefetch={false} className="plain-button">
        {t("search.shelf", { count: products.length })}
      </Link>
    </div>
  );
}
