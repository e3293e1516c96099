"use client";
import { usePathname } from "next/navigation";
import { useTranslations } from "use-intl/react";
import { startHash } from "./tours.ts";

/** Begins the tour of where one is: of the control room there, of the shop from everywhere else. */
export function ShowMeAround() {
  const t = useTranslations("shell.colophon");
  const home = usePathname().startsWith("/ops") ? "/ops" : "/";
  return (
    <a className="text-link inline-flex min-h-11 items-center" href={`${home}${startHash}`}>
      {t("tour")}
    </a>
  );
}
