/**
 * How a language writes money, counts, times and spans. Everything that is counted or measured on a page goes
 * through here, so that the first view from the server and every later one agree to the letter.
 */
import { type Language, languageTag } from "./languages.ts";
import type { Translator } from "./translator.ts";

/** `date` is for lists: day and month, hour and minute. */
export type Grain = "minute" | "second" | "date" | "day";

export interface Figures {
  readonly language: Language;
  /** Of euro cents. */
  price(cents: number): string;
  count(count: number): string;
  /** `1 unit`, `12 units`. */
  units(count: number): string;
  /** `04:12`, `2:03:09`, from two days on `2 d 2 h`; never below zero, rounded up, so that it ends at zero. */
  countdown(remainingMs: number): string;
  /** `about 2 s`, `about 3 min`; never zero. */
  about(ms: number): string;
  /** `90 seconds`, `5 minutes`. */
  span(ms: number): string;
  /** `90 s`, `5 min`. */
  shortSpan(ms: number): string;
  /** Since another moment: in ms, which is the point, and from a minute on in minutes too. */
  since(ms: number): string;
  /** A moment on the clock of a time zone; of the browser's own where none is given. */
  clock(at: string | number, grain: Grain, timeZone?: string): string;
}

const patterns: Record<Grain, Intl.DateTimeFormatOptions> = {
  minute: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  second: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  date: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  day: { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
};

const minuteMs = 60_000;

export function createFigures(language: Language, t: Translator<"words">): Figures {
  const tag = languageTag[language];
  const money = new Intl.NumberFormat(tag, { style: "currency", currency: "EUR" });
  const counts = new Intl.NumberFormat(tag);
  const inSeconds = (ms: number) => Math.max(1, Math.round(ms / 1000));
  const inMinutes = (ms: number) => Math.round(ms / minuteMs);

  return {
    language,
    price: (cents) => money.format(cents / 100),
    count: (count) => counts.format(count),
    units: (count) => t("units", { count }),
    countdown(remainingMs) {
      const seconds = Math.max(0, Math.ceil(remainingMs / 1000));
      const hours = Math.floor(seconds / 3600);
      if (hours >= 48) return t("daysAndHours", { days: Math.floor(hours / 24), hours: hours % 24 });
      const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
      return hours > 0 ? `${hours}:${rest}` : rest;
    },
    about: (ms) =>
      inSeconds(ms) < 90
        ? t("aboutSeconds", { seconds: inSeconds(ms) })
        : t("aboutMinutes", { minutes: inMinutes(ms) }),
    span: (ms) =>
      ms < 2 * minuteMs ? t("seconds", { seconds: inSeconds(ms) }) : t("minutes", { minutes: inMinutes(ms) }),
    shortSpan: (ms) => (ms < 2 * minuteMs ? t("s", { seconds: inSeconds(ms) }) : t("min", { minutes: inMinutes(ms) })),
    since: (ms) =>
      ms < minuteMs
        ? t("ms", { ms: counts.format(ms) })
        : t("minAndS", { minutes: Math.floor(ms / minuteMs), seconds: Math.round((ms % minuteMs) / 1000) }),
    clock: (at, grain, timeZone) =>
      new Intl.DateTimeFormat(tag, { ...patterns[grain], ...(timeZone === undefined ? {} : { timeZone }) }).format(
        new Date(at),
      ),
  };
}

const two = (value: number) => String(value).padStart(2, "0");

/** ISO 8601 duration for `<time dateTime>`. */
export const isoDuration = (remainingMs: number): string => `PT${Math.max(0, Math.ceil(remainingMs / 1000))}S`;
