"use client";
/**
 * The story as a picture: who came as a thin peak, who was let in and who was turned away beneath it, what was
 * decided flat across; and on the same time axis what waits.
 */
import { useMemo, useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { backlogColumns, rateColumns } from "./columns.ts";
import { backlogDrawing, rateDrawing } from "./drawings.ts";
import { type EndLabel, EndLabels } from "./end-labels.tsx";
import type { ChartMark } from "./marks.ts";
import { MarkLines, MarkWords, marksHeightPx } from "./marks-layer.tsx";
import { PeakNotes } from "./peak-notes.tsx";
import { roundedTop, type Span } from "./plot/scale.ts";
import { type Gutters, TimePlot } from "./plot/time-plot.tsx";
import { type Second, shedBands } from "./second.ts";
import { useNarrow } from "./use-narrow.ts";

export interface PeakChartProps {
  /** Oldest first; those inside the span are drawn. */
  readonly seconds: readonly Second[];
  readonly marks: readonly ChartMark[];
  readonly span: Span;
}

const wide = { left: 48, right: 156 };
const narrow = { left: 40, right: 108 };
const floor = 10;

export function PeakChart({ seconds, marks, span }: PeakChartProps) {
  const words = useTranslations("live.chart");
  const [hoveredMs, setHoveredMs] = useState<number>();
  const sides = useNarrow() ? narrow : wide;
  const gutters = useMemo(() => guttersOf(sides), [sides]);
  const shown = useMemo(() => withinSpan(seconds, span), [seconds, span]);
  const rates = useMemo(() => rateColumns(shown), [shown]);
  const backlogs = useMemo(() => backlogColumns(shown), [shown]);
  const rateTop = roundedTop(Math.max(...shown.map((s) => Math.max(s.arrivals, s.decided))), floor);
  const backlogTop = roundedTop(Math.max(...shown.map((s) => s.backlog)), floor);
  const told = shown.find(({ atMs }) => atMs === hoveredMs) ?? shown.at(-1);
  const [rateLabels, backlogLabels] = useLabels(told);
  const visibleMarks = marks.filter(({ atMs }) => atMs >= span.fromMs && atMs <= span.toMs);
  const plot = { span, cursorName: "peak", onHover: setHoveredMs };
  return (
    <figure className="peak-chart" aria-label={words("summary")}>
      <TimePlot
        {...plot}
        drawing={rateDrawing}
        columns={rates}
        top={rateTop}
        gutters={gutters.rates}
        className="plot-rates"
      >
        {(box) => (
          <>
            <p className="plot-title rates">{words("perSecond")}</p>
            <MarkLines box={box} marks={visibleMarks} />
            <MarkWords box={box} marks={visibleMarks} />
            <PeakNotes box={box} seconds={shown} of="rates" />
            <EndLabels box={box} labels={rateLabels} />
          </>
        )}
      </TimePlot>
      <TimePlot
        {...plot}
        drawing={backlogDrawing}
        columns={backlogs}
        top={backlogTop}
        gutters={gutters.backlog}
        className="plot-backlog"
      >
        {(box) => (
          <>
            <p className="plot-title">{words("waiting")}</p>
            <MarkLines box={box} marks={visibleMarks} />
            <PeakNotes box={box} seconds={shown} of="backlog" />
            <EndLabels box={box} labels={backlogLabels} />
          </>
        )}
      </TimePlot>
    </figure>
  );
}

function guttersOf(sides: { readonly left: number; readonly right: number }): Record<"rates" | "backlog", Gutters> {
  return {
    rates: { ...sides, top: marksHeightPx, bottom: 8 },
    backlog: { ...sides, top: 26, bottom: 24 },
  };
}

/** One second more to the left, so that lines reach the edge. */
const withinSpan = (seconds: readonly Second[], { fromMs, toMs }: Span): readonly Second[] =>
  seconds.filter(({ atMs }) => atMs > fromMs - 1_500 && atMs <= toMs);

function useLabels(told: Second | undefined): readonly [readonly EndLabel[], readonly EndLabel[]] {
  const words = useTranslations("live.chart");
  const format = useFormatter();
  if (told === undefined) return [[], []];
  const count = (value: number) => format.number(Math.round(value));
  const { arrivals, admitted, decided, backlog } = told;
  const rates: EndLabel[] = [
    { key: "arrivals", name: words("arrivals"), figure: count(arrivals), value: arrivals },
    ...shedBands(told).map(({ reason, rate, middle }) => ({
      key: `shed ${reason}`,
      name: words(`hatches.${reason}`),
      figure: count(rate),
      value: middle,
    })),
    { key: "admitted", name: words("admitted"), figure: count(admitted), value: admitted },
    { key: "decided", name: words("decided"), figure: count(decided), value: decided },
  ];
  return [rates, [{ key: "backlog", name: words("wait"), figure: count(backlog), value: backlog }]];
}
