"use client";
/** Written beside a peak that has passed: how high it was, and why people were turned away in it. */
import { useFormatter, useTranslations } from "use-intl";
import type { PlotBox } from "./plot/time-plot.tsx";
import { type Second, shedBands } from "./second.ts";

interface PeakNotesProps {
  readonly box: PlotBox;
  readonly seconds: readonly Second[];
  readonly of: "rates" | "backlog";
}

/** Below it a note would say more than there was. */
const worthANote = 20;
/** A band must be as high as its words. */
const wordsHeightPx = 16;
const roomForWordsPx = 110;

export function PeakNotes({ box, seconds, of }: PeakNotesProps) {
  const words = useTranslations("live.chart");
  const format = useFormatter();
  const value = (second: Second) => (of === "rates" ? second.arrivals : second.backlog);
  const highest = seconds.reduce<Second | undefined>(
    (best, second) => (best === undefined || value(second) > value(best) ? second : best),
    undefined,
  );
  const last = seconds.at(-1);
  if (highest === undefined || last === undefined) return null;
  const isPast = value(highest) > 2 * value(last) && value(highest) >= worthANote;
  const x = box.x(highest.atMs);
  if (!isPast) return null;
  const side = x > box.left + box.width - roomForWordsPx ? "left" : "right";
  const bands = of === "backlog" ? [] : shedBands(highest);
  const note = (key: string, atValue: number, text: string) => (
    <p
      key={key}
      className={`peak-note ${side} ${key}`}
      style={{
        transform: `translate(${side === "left" ? x - roomForWordsPx - 8 : x + 8}px, ${Math.max(box.top, box.y(atValue)) - 2}px)`,
      }}
    >
      {text}
    </p>
  );
  return (
    <>
      {note(
        of === "rates" ? "arrivals" : "backlog",
        value(highest),
        words("atMost", { count: format.number(Math.round(value(highest))) }),
      )}
      {bands
        .filter(({ rate }) => box.y(0) - box.y(rate) > 2 * wordsHeightPx)
        .map(({ reason, middle }) => note(`shed ${reason}`, middle, words(`hatches.${reason}`)))}
    </>
  );
}
