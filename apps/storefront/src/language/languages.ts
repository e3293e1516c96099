/**
 * The languages of the pages, and which of them a visitor reads: the one chosen by hand (a cookie), else the best of
 * the browser's, else English. Addresses are the same in every language.
 */
export const languages = ["en", "zh"] as const;
export type Language = (typeof languages)[number];

export const languageCookie = "language";

/** What `lang` attributes and Intl are told. Times are written on a 24-hour clock in both. */
export const languageTag = { en: "en-GB", zh: "zh-CN" } as const satisfies Record<Language, string>;

export const languageName = { en: "English", zh: "中文" } as const satisfies Record<Language, string>;

export const isLanguage = (text: unknown): text is Language => languages.some((language) => language === text);

export function chooseLanguage(chosen: string | undefined, acceptLanguage: string | null): Language {
  return isLanguage(chosen) ? chosen : (acceptedLanguages(acceptLanguage ?? "")[0] ?? "en");
}

/** Of an `Accept-Language` header (RFC 9110, 12.5.4), best first; a language refused by `q=0` is left out. */
function acceptedLanguages(header: string): Language[] {
  return header
    .split(",")
    .flatMap((range) => {
      const [tag = "", ...parameters] = range
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/);
      const language = tag.split("-")[0];
      const weight = Number(parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? 1);
      return isLanguage(language) && weight > 0 ? [{ language, weight }] : [];
    })
    .toSorted((a, b) => b.weight - a.weight)
    .map(({ language }) => language);
}
