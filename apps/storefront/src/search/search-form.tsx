"use client";
import { useTranslations } from "use-intl/react";

/** A form that the browser sends itself, to `/search?q=…`: it needs no script. */
export function SearchForm(props: {
  readonly className: string;
  /** Names the landmark; two on one page need two names. */
  readonly label: string;
  readonly query?: string;
}) {
  const t = useTranslations("shell.search");
  return (
    // biome-ignore lint/a11y/useSemanticElements: <search> is younger than browsers that still come
    <form action="/search" className={props.className} role="search" aria-label={props.label}>
      <input
        type="search"
        name="q"
        key={props.query}
        defaultValue={props.query}
        aria-label={t("label")}
        placeholder={t("placeholder")}
        maxLength={100}
        autoComplete="off"
        enterKeyHint="search"
      />
      <button type="submit" className="search-act" aria-label={t("act")}>
        <svg viewBox="0 0 20 20" aria-hidden="true" focusable="false">
          <circle cx="8.5" cy="8.5" r="5.75" />
          <path d="M12.9 12.9 L18 18" />
        </svg>
      </button>
    </form>
  );
}
