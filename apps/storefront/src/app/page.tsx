import type { Product, Sale } from "@plateau/domain/http";
import { Words } from "../language/words.tsx";
import { askOrThrow } from "../server/backend.ts";
import { currentMoment } from "../server/moment.ts";
import { ShopWindow } from "../shop/shop-window.tsx";
import { isFirstVisit } from "../tour/first-visit.ts";
import { Tour } from "../tour/tour.tsx";

export default async function ShopFront() {
  const [sales, { products }, moment, offered] = await Promise.all([
    askOrThrow<{ sales: Sale[] }>("/api/sales"),
    askOrThrow<{ products: Product[] }>("/api/products"),
    currentMoment(),
    isFirstVisit("shop"),
  ]);
  return (
    <Words of={["shop", "catalogue", "tour"]}>
      <Tour name="shop" offered={offered} />
      <ShopWindow sales={sales} products={products} moment={moment} />
    </Words>
  );
}
