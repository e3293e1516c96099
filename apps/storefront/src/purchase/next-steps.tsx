"use client";
/** Where to go from here, once the button itself offers nothing more. */
import Link from "next/link";
import { useTranslations } from "use-intl/react";
import type { Description } from "./describe.ts";

const ways = {
  product: (productId: string) => `/products/${encodeURIComponent(productId)}`,
  shop: () => "/",
  messages: () => "/messages",
} as const;

const waysFrom: Partial<Record<Description["state"], readonly (keyof typeof ways)[]>> = {
  paid: ["messages", "shop"],
  sold_out: ["product", "shop"],
  ended: ["product", "shop"],
  rejected: ["shop"],
  expired: ["product", "shop"],
  payment_expired: ["product", "shop"],
  cancelled: ["product", "shop"],
};

export function NextSteps({ state, productId }: { readonly state: Description["state"]; readonly productId: string }) {
  const t = useTranslations("sale.next");
  return (
    <ul className="next-steps" aria-label={t("label")}>
      {(waysFrom[state] ?? []).map((way) => (
        <li key={way}>
          <Link href={ways[way](productId)} prefetch={false} className="text-link inline-flex min-h-11 items-center">
            {t(way)}
          </Link>
        </li>
      ))}
    </ul>
  );
}
