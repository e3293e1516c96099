/** A moment as the live page writes it; the browser's own zone where none is given. */
export function clockText(at: string | number, grain: "second", timeZone?: string): string {
  return new Intl.DateTimeFormat("en-GB", {
    timeStyle: grain === "second" ? "medium" : "short",
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(new Date(at));
}
