"use client";
/** Each line's name and figure where the line ends, instead of a legend. */
import { spreadLabels } from "./plot/scale.ts";
import type { PlotBox } from "./plot/time-plot.tsx";

export interface EndLabel {
  readonly key: string;
  readonly name: string;
  readonly figure: string;
  /** Where it would like to stand, in values of the scale. */
  readonly value: number;
}

const labelGapPx = 17;

export function EndLabels({ box, labels }: { readonly box: PlotBox; readonly labels: readonly EndLabel[] }) {
  const heights = spreadLabels(
    labels.map(({ value }) => box.y(value)),
    labelGapPx,
    box.top + box.height - 1,
  );
  return labels.map(({ key, name, figure }, index) => (
    <p
      key={key}
      className={`end-label ${key}`}
      style={{ transform: `translate(${box.left + box.width + 10}px, ${(heights[index] ?? 0) - 9}px)` }}
    >
      <span className="end-figure">{figure}</span> {name}
    </p>
  ));
}
