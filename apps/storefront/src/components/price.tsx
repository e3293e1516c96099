"use client";
import { useTranslations } from "use-intl/react";
import { useFigures } from "../language/words-in-browser.tsx";

export function Price({ cents, regularCents }: { readonly cents: number; readonly regularCents: number }) {
  const { price } = useFigures();
  const t = useTranslations("shell");
  return (
    <p className="price">
      {price(cents)}
      {regularCents > cents ? (
        <s>
          <span className="sr-only">{t("insteadOf")} </span>
          {price(regularCents)}
        </s>
      ) : null}
    </p>
  );
}
