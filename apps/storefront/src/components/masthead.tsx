"use client";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useTranslations } from "use-intl/react";
import { SearchForm } from "../search/search-form.tsx";
import { SignInCorner } from "../session/sign-in-button.tsx";
import { Han } from "./han.tsx";
import { LanguageSwitch } from "./language-switch.tsx";
import { Mark } from "./mark.tsx";

const places = [
  { href: "/", name: "shop", holds: ["/sales", "/products"], step: undefined },
  { href: "/search", name: "search", holds: ["/search"], step: undefined },
  { href: "/orders", name: "orders", holds: ["/orders"], step: "order" },
  { href: "/messages", name: "messages", holds: ["/messages"], step: "sms" },
  { href: "/live", name: "live", holds: ["/live"], step: "live" },
] as const;

export function Masthead() {
  const path = usePathname();
  const t = useTranslations("shell.nav");
  return (
    <header className="masthead">
      <div className="page masthead-row">
        <Link href="/" className="wordmark" prefetch={false}>
          <Mark />
          Plateau
          <Han />
        </Link>
        <SearchForm className="search-form in-masthead" label={t("find")} />
        <nav className="nav" aria-label={t("label")}>
          {places.map(({ href, name, holds, step }) => (
            <Link
              key={href}
              href={href}
              prefetch={false}
              data-tour={step}
              className={name === "search" ? "only-narrow" : undefined}
              aria-current={path === href ? "page" : holds.some((below) => path.startsWith(below)) ? "true" : undefined}
            >
              {t(name)}
            </Link>
          ))}
        </nav>
        <div className="masthead-corner">
          <LanguageSwitch />
          <SignInCorner />
        </div>
      </div>
    </header>
  );
}
