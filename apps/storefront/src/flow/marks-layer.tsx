"use client";
/** Where something was turned or broken: a line through the chart, with its words above it as far as they fit. */
import type { ChartMark } from "./marks.ts";
import { rowsFor } from "./plot/scale.ts";
import type { PlotBox } from "./plot/time-plot.tsx";

interface MarksProps {
  readonly box: PlotBox;
  readonly marks: readonly ChartMark[];
}

const rowHeightPx = 16;
const rows = 3;
/** What is kept free above a plot for the words. */
export const marksHeightPx = rows * rowHeightPx + 4;

export function MarkLines({ box, marks }: MarksProps) {
  return marks.map(({ name, atMs, tone }) => (
    <div
      key={name}
      className={`mark-line ${tone}`}
      style={{ transform: `translate(${box.x(atMs)}px, ${box.top}px)`, height: box.height }}
    />
  ));
}

export function MarkWords({ box, marks }: MarksProps) {
  const right = box.left + box.width;
  const texts = marks.map(({ atMs, text }) => {
    const width = widthOf(text) + 12;
    return { x: Math.min(box.x(atMs), right - width + 110), width };
  });
  const placed = rowsFor(texts, rows);
  return marks.map(({ name, tone, text }, index) => {
    const row = placed[index] ?? -1;
    if (row < 0) return null;
    const top = box.top - marksHeightPx + row * rowHeightPx;
    return (
      <p
        key={name}
        className={`mark-words ${tone}`}
        style={{ transform: `translate(${texts[index]?.x ?? 0}px, ${top}px)` }}
      >
        {text}
      </p>
    );
  });
}

/** About: a Chinese character is as wide as two Latin ones. */
const widthOf = (text: string): number =>
  [...text].reduce((sum, character) => sum + (character > "\u2e80" ? 12 : 6.2), 0);
