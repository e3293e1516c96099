/** Gives the components below it that run in the browser the areas of the messages that they speak. */
import type { ReactNode } from "react";
import type { Area } from "./messages.ts";
import { currentLanguage, messagesOf } from "./server.ts";
import { WordsInBrowser } from "./words-in-browser.tsx";

export async function Words({ of, children }: { readonly of: readonly Area[]; readonly children: ReactNode }) {
  return (
    <WordsInBrowser language={await currentLanguage()} messages={await messagesOf(of)}>
      {children}
    </WordsInBrowser>
  );
}
