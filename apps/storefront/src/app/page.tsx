import type { Product, Sale } from "@plateau/domain/http";
import { Words } from "../language/words.tsx";
import { askOrThrow } from "../server/backend.ts";
import { currentMoment } from "../server/moment.ts";
import { ShopWindow } from "../shop/shop-window.tsx";

export default async function ShopFront() {
  const [sales, { products }, moment] = await Promise.all([
    askOrThrow<{ sales: Sale[] }>("/api/sales"),
    askOrThrow<{ products: Product[] }>("/api/products"),
    currentMoment(),
  ]);
  return (
    <Words of={["shop", "catalogue"]}>
      <ShopWindow sales={sales} products={products} moment={moment} />
    </Words>
  );
}
