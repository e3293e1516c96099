import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import { Colophon } from "../components/colophon.tsx";
import { EarlyPress } from "../components/early-press.tsx";
import { Masthead } from "../components/masthead.tsx";
import { languageTag } from "../language/languages.ts";
import { currentLanguage, translator } from "../language/server.ts";
import { Words } from "../language/words.tsx";
import { currentShopper } from "../server/shopper.ts";
import { ShopperProvider } from "../session/shopper-context.tsx";
import { Reminders } from "../shop/reminders.tsx";
import { currentTheme } from "../theme/server.ts";
import "./globals.css";

/** On each page, whoever is looking: what the masthead, signing in and a failing call say. */
const everywhere = ["shell", "words", "errors"] as const;

export async function generateMetadata(): Promise<Metadata> {
  const t = await translator("shell");
  return {
    title: { default: t("site.title"), template: "%s · Plateau" },
    description: t("site.description"),
  };
}

/** Paper by day and by night, for what the browser draws around the page. */
const paper = { light: "#fcfaf6", dark: "#10141c" } as const;

export async function generateViewport(): Promise<Viewport> {
  const theme = await currentTheme();
  if (theme !== "system") return { colorScheme: theme, themeColor: paper[theme] };
  return {
    colorScheme: "light dark",
    themeColor: [
      { media: "(prefers-color-scheme: light)", color: paper.light },
      { media: "(prefers-color-scheme: dark)", color: paper.dark },
    ],
  };
}

export default async function RootLayout({ children }: { readonly children: ReactNode }) {
  const [shopper, language, theme, t] = await Promise.all([
    currentShopper(),
    currentLanguage(),
    currentTheme(),
    translator("shell"),
  ]);
  return (
    <html lang={languageTag[language]} data-theme={theme === "system" ? undefined : theme}>
      <body>
        <EarlyPress />
        <a href="#content" className="skip">
          {t("skip")}
        </a>
        <Words of={everywhere}>
          <ShopperProvider initial={shopper}>
            <Masthead />
            <main id="content" tabIndex={-1}>
              {children}
            </main>
            <Colophon />
            <Reminders />
          </ShopperProvider>
        </Words>
      </body>
    </html>
  );
}
