/**
 * The language of a request and its words, for components on the server.
 *
 * What can go wrong: parsing a message costs some 20 µs and the parser 20 kB of script. Messages are therefore
 * compiled once when the server starts, and only the compiled ones go to the browser, each page's own areas.
 */
import type { Product } from "@plateau/domain/http";
import compile from "icu-minify/compile";
import { cookies, headers } from "next/headers";
import { cache } from "react";
import { createTranslator } from "use-intl/core";
import { createFigures, type Figures } from "./figures.ts";
import { chooseLanguage, type Language, languageCookie, languages, languageTag } from "./languages.ts";
import { type Area, type Messages, messages } from "./messages.ts";
import { createProductText } from "./product-text.ts";
import type { Translator } from "./translator.ts";

export const currentLanguage = cache(async (): Promise<Language> => {
  const [jar, header] = await Promise.all([cookies(), headers()]);
  return chooseLanguage(jar.get(languageCookie)?.value, header.get("accept-language"));
});

/** One area of the messages in the language of this request. */
export async function translator<A extends Area>(area: A): Promise<Translator<A>> {
  const language = await currentLanguage();
  return createTranslator({
    locale: languageTag[language],
    messages: compiled[language],
    namespace: area as never,
  }) as unknown as Translator<A>;
}

export const figures = cache(
  async (): Promise<Figures> => createFigures(await currentLanguage(), await translator("words")),
);

/** A product's text in every language, for whoever looks for it in one that the page does not speak. */
export const productTextIn = (product: Product): readonly { readonly title: string; readonly description: string }[] =>
  languages.map((language) => {
    const text = createProductText(
      createTranslator({ locale: languageTag[language], messages: compiled[language], namespace: "catalogue" }),
    );
    return {
      title: text.title({ productId: product.id, title: product.title }),
      description: text.description(product),
    };
  });

/** What goes to the browser. */
export async function messagesOf(areas: readonly Area[]): Promise<Partial<Messages>> {
  const all = compiled[await currentLanguage()];
  return Object.fromEntries(areas.map((area) => [area, all[area]]));
}

const compiled = Object.fromEntries(
  languages.map((language) => [language, compiledOf(messages[language])]),
) as unknown as Record<Language, Messages>;

function compiledOf(tree: object): object {
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => [
      key,
      typeof value === "string" ? compiledMessage(value) : compiledOf(value),
    ]),
  );
}

/** Copied, because the branches of a plural come without a prototype and React sends only plain objects. */
function compiledMessage(message: string): unknown {
  return JSON.parse(JSON.stringify(compile(message)));
}
