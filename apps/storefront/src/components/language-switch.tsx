"use client";
import { useTranslations } from "use-intl/react";
import { languageName, languages, languageTag } from "../language/languages.ts";
import { useLanguage } from "../language/words-in-browser.tsx";

/** Offers the other language, in its own words. A form, so that it needs no script (see app/preferences). */
export function LanguageSwitch() {
  const t = useTranslations("shell.language");
  const current = useLanguage();
  return (
    <form action="/preferences" method="post">
      {languages
        .filter((language) => language !== current)
        .map((language) => (
          <button key={language} type="submit" name="language" value={language} className="quiet-button">
            <span className="sr-only">{t("label")} </span>
            <span lang={languageTag[language]}>{languageName[language]}</span>
          </button>
        ))}
    </form>
  );
}
