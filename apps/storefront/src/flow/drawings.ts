/** What the hero chart draws. The colours of the data are fixed for good, and lines differ by more than hue. */
import type { Hatch } from "./plot/palette.ts";
import { roundTimes, type Span } from "./plot/scale.ts";
import type { Drawing } from "./plot/time-plot.tsx";
import { type ShedReason, shedReasons } from "./second.ts";

export const hatchOf: Readonly<Record<ShedReason, Hatch>> = {
  "sold-out": "dotted",
  throttled: "rising",
  overloaded: "falling",
  other: "level",
};

const axisCounts = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const shortCounts = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const countText = (value: number): string => (value < 10_000 ? axisCounts : shortCounts).format(value);

/** On the reader's clock; the same in every language. */
const minutes = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
const withMinutes = new Intl.DateTimeFormat("en-GB", minutes);
const withSeconds = new Intl.DateTimeFormat("en-GB", { ...minutes, second: "2-digit" });

function timesOf(span: Span, width: number) {
  const clock = span.toMs - span.fromMs <= 600_000 ? withSeconds : withMinutes;
  const halfTextMs = (30 * (span.toMs - span.fromMs)) / Math.max(width, 1);
  return roundTimes(span, Math.max(2, Math.floor(width / 110)))
    .filter((atMs) => atMs > span.fromMs + halfTextMs && atMs < span.toMs - halfTextMs)
    .map((atMs) => ({ atMs, text: clock.format(atMs) }));
}

const none = { points: { show: false } } as const;

/** Columns of `rateColumns`: 1 let in, 2 to 5 those turned away on top of it, 6 all who came, 7 decided. */
export const rateDrawing: Drawing = {
  series: [
    (palette) => ({
      ...none,
      stroke: () => palette().admitted,
      width: 1,
      dash: [5, 3],
      fill: () => palette().wash("admitted", 26),
    }),
    ...shedReasons.map(() => () => ({ ...none, width: 0 })),
    (palette) => ({ ...none, stroke: () => palette().arrivals, width: 1.5 }),
    (palette) => ({ ...none, stroke: () => palette().decided, width: 3 }),
  ],
  bands: (palette) =>
    shedReasons.map((reason, index) => ({
      series: [index + 2, index + 1],
      fill: () => palette().hatch(hatchOf[reason]),
    })),
  valueText: countText,
};

export const backlogDrawing: Drawing = {
  series: [
    (palette) => ({
      ...none,
      stroke: () => palette().backlog,
      width: 1.5,
      fill: () => palette().wash("backlog", 40),
    }),
  ],
  times: timesOf,
  valueText: countText,
};

/** The last hour at a glance, below the chart. */
export const overviewDrawing: Drawing = {
  series: [
    (palette) => ({
      ...none,
      stroke: () => palette().arrivals,
      width: 1,
    }),
  ],
  times: timesOf,
  valueText: () => "",
};

export const latencyDrawing: Drawing = {
  series: [
    (palette) => ({ ...none, width: 0, fill: () => palette().wash("backlog", 22) }),
    (palette) => ({ ...none, width: 0, fill: () => palette().wash("backlog", 34) }),
    (palette) => ({ ...none, width: 1.5, stroke: () => palette().ink }),
  ],
  valueText: () => "",
};
