"use client";
/** Light, dark, or as the system has it: at once where the page has its script, by a form where it has none. */
import { type MouseEvent, useState } from "react";
import { useTranslations } from "use-intl/react";
import { type Theme, themeCookie, themes } from "./themes.ts";

export function ThemeSwitch({ initial }: { readonly initial: Theme }) {
  const t = useTranslations("shell.theme");
  const [current, setCurrent] = useState(initial);
  const choose = (theme: Theme) => (event: MouseEvent) => {
    event.preventDefault();
    setCurrent(theme);
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    void fetch("/preferences", {
      method: "POST",
      body: new URLSearchParams({ [themeCookie]: theme }),
      redirect: "manual",
      keepalive: true,
    });
  };
  return (
    <form action="/preferences" method="post">
      <fieldset className="choice">
        <legend className="sr-only">{t("label")}</legend>
        {themes.map((theme) => (
          <button
            key={theme}
            type="submit"
            name={themeCookie}
            value={theme}
            className="quiet-button"
            aria-pressed={theme === current}
            onClick={choose(theme)}
          >
            {t(theme)}
          </button>
        ))}
      </fieldset>
    </form>
  );
}
