"use client";
import { useTranslations } from "use-intl/react";
import { Notice } from "../components/notice.tsx";

export default function PageError({ reset }: { readonly reset: () => void }) {
  const t = useTranslations("shell.away");
  return (
    <Notice title={t("title")}>
      <p>{t("text")}</p>
      <button type="button" className="plain-button" onClick={reset}>
        {t("again")}
      </button>
    </Notice>
  );
}
