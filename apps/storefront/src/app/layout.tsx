import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import { Colophon } from "../components/colophon.tsx";
import { EarlyPress } from "../components/early-press.tsx";
import { Masthead } from "../components/masthead.tsx";
import { currentShopper } from "../server/shopper.ts";
import { ShopperProvider } from "../session/shopper-context.tsx";
import { Reminders } from "../shop/reminders.tsx";
import "./globals.css";

export const metadata: Metadata = {
  title: { default: "Plateau 高原", template: "%s · Plateau" },
  description: "Goods for high places, a few of them released in strictly limited numbers.",
  robots: { index: false },
};

export const viewport: Viewport = {
  colorScheme: "light dark",
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#fcfaf6" },
    { media: "(prefers-color-scheme: dark)", color: "#10141c" },
  ],
};

export default async function RootLayout({ children }: { readonly children: ReactNode }) {
  const shopper = await currentShopper();
  return (
    <html lang="en">
      <body>
        <EarlyPress />
        <a href="#content" className="skip">
          Skip to the content
        </a>
        <ShopperProvider initial={shopper}>
          <Masthead />
          <main id="content" tabIndex={-1}>
            {children}
          </main>
          <Colophon />
          <Reminders />
        </ShopperProvider>
      </body>
    </html>
  );
}
