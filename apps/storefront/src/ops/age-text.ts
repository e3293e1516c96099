"use client";
import { useFormatter, useTranslations } from "use-intl";

/** `340 ms`, `2.4 s`, `35 s`. */
export function useAgeText(): (ms: number) => string {
  const words = useTranslations("ops.way");
  const format = useFormatter();
  return (ms) =>
    ms < 1_000
      ? words("ageMs", { figure: format.number(Math.round(ms)) })
      : words("ageS", { figure: format.number(ms / 1_000, { maximumFractionDigits: ms < 10_000 ? 1 : 0 }) });
}
