/** How times are written: countdowns, clock times, spans. */

/** `9:41`, `04:12`, `2:03:09`; never below zero. Rounded up, so that it reaches 0:00 when it is over. */
export function countdownText(remainingMs: number): string {
  const seconds = Math.max(0, Math.ceil(remainingMs / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = two(seconds % 60);
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${two(minutes)}:${rest}`;
}

/** ISO 8601 duration for `<time dateTime>`. */
export const isoDuration = (remainingMs: number): string => `PT${Math.max(0, Math.ceil(remainingMs / 1000))}S`;

/** `about 2 s`, `about 3 min`. */
export function aboutText(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  return seconds < 90 ? `about ${seconds} s` : `about ${Math.round(seconds / 60)} min`;
}

export type Grain = "minute" | "second" | "day";

const patterns: Record<Grain, Intl.DateTimeFormatOptions> = {
  minute: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  second: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  day: { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
};

/** A moment in a time zone; the browser's own where none is given. */
export function clockText(at: string | number, grain: Grain, timeZone?: string): string {
  return new Intl.DateTimeFormat("en-GB", {
    ...patterns[grain],
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(new Date(at));
}
