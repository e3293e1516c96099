"use client";
/**
 * The messages that a page brought along, and what is made of them. An inner provider adds its areas to the outer
 * one's, so that each page sends only what it speaks itself.
 */
import { createContext, type ReactNode, useContext, useMemo } from "react";
import { IntlProvider, useTranslations } from "use-intl/react";
import { createFigures, type Figures } from "./figures.ts";
import { type Language, languageTag } from "./languages.ts";
import type { Messages } from "./messages.ts";
import { createSentences, type Sentences } from "./sentences.ts";

interface Brought {
  readonly language: Language;
  readonly messages: Partial<Messages>;
}

const BroughtContext = createContext<Brought | undefined>(undefined);

export function WordsInBrowser({ language, messages, children }: Brought & { readonly children: ReactNode }) {
  const outer = useContext(BroughtContext);
  const brought = useMemo<Brought>(
    () => ({ language, messages: { ...outer?.messages, ...messages } }),
    [outer, language, messages],
  );
  return (
    <BroughtContext value={brought}>
      {/* Moments are written by our own figures, in the visitor's zone; the library is only kept from asking for one. */}
      <IntlProvider locale={languageTag[language]} messages={brought.messages} timeZone="UTC">
        {children}
      </IntlProvider>
    </BroughtContext>
  );
}

export function useLanguage(): Language {
  const brought = useContext(BroughtContext);
  if (brought === undefined) throw new Error("useLanguage stands outside Words");
  return brought.language;
}

export function useFigures(): Figures {
  const t = useTranslations("words");
  const language = useLanguage();
  return useMemo(() => createFigures(language, t), [language, t]);
}

export function useSentences(): Sentences {
  const t = useTranslations("errors");
  return useMemo(() => createSentences(t), [t]);
}
