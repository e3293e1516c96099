"use client";
/**
 * One drawing of uPlot over a span of time. The span and the top of its scale come from outside, so that several
 * drawings stand under one time axis and what lies over them (labels, marks) knows where everything is.
 *
 * What can go wrong: the library comes late (it is loaded only where a chart is shown), so the frame has its size
 * before; the theme changes while the chart lives, so colours are asked for at each drawing.
 */
import { type ReactNode, useEffect, useRef, useState } from "react";
import type uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { type Palette, readPalette } from "./palette.ts";
import { roundValues, type Span } from "./scale.ts";

/** Pixels between the frame and what is drawn. */
export interface Gutters {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

/** Where things are, in pixels of the frame. */
export interface PlotBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly x: (atMs: number) => number;
  readonly y: (value: number) => number;
}

/** What is drawn; a constant of its module. */
export interface Drawing {
  readonly series: readonly ((palette: () => Palette) => uPlot.Series)[];
  readonly bands?: (palette: () => Palette) => uPlot.Band[];
  /** Times along the bottom. */
  readonly times?: (span: Span, width: number) => readonly { readonly atMs: number; readonly text: string }[];
  readonly valueText: (value: number) => string;
}

export interface TimePlotProps {
  readonly drawing: Drawing;
  /** Times in ms, then a column for each series. */
  readonly columns: uPlot.AlignedData;
  readonly span: Span;
  /** Highest value of the scale; the lowest is 0. */
  readonly top: number;
  readonly gutters: Gutters;
  readonly className: string;
  /** Plots of one name share their cursor. */
  readonly cursorName: string;
  readonly onHover?: (atMs: number | undefined) => void;
  /** Drawn over the plot. */
  readonly children?: (box: PlotBox) => ReactNode;
}

export function TimePlot(props: TimePlotProps) {
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const plot = useRef<uPlot>(undefined);
  const [size, setSize] = useState<{ width: number; height: number }>();
  const { drawing, columns, span, top, gutters, className, cursorName, children } = props;

  useEffect(() => {
    const [element, holder] = [frame.current, canvas.current];
    if (element === null || holder === null) return;
    let stop: (() => void) | undefined;
    let stopped = false;
    void import("uplot").then(({ default: Plot }) => {
      if (stopped) return;
      const begun = beginPlot(Plot, { element, holder, drawing, cursorName, latest });
      plot.current = begun.plot;
      stop = begun.stop;
    });
    return () => {
      stopped = true;
      plot.current = undefined;
      stop?.();
    };
  }, [drawing, cursorName]);
  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      setSize({ width: element.clientWidth, height: element.clientHeight });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: span, top and gutters are read while the data are set
  useEffect(() => {
    const { current } = plot;
    if (current === undefined) return;
    if (size !== undefined && (current.width !== size.width || current.height !== size.height)) current.setSize(size);
    current.setData(columns);
  }, [columns, span, top, gutters, size]);

  return (
    <div ref={frame} className={`time-plot ${className}`}>
      <div ref={canvas} aria-hidden="true" />
      {size === undefined || children === undefined ? null : children(boxOf(size, { span, top, gutters }))}
    </div>
  );
}

function boxOf(
  size: { readonly width: number; readonly height: number },
  { span, top, gutters }: Pick<TimePlotProps, "span" | "top" | "gutters">,
): PlotBox {
  const width = size.width - gutters.left - gutters.right;
  const height = size.height - gutters.top - gutters.bottom;
  return {
    left: gutters.left,
    top: gutters.top,
    width,
    height,
    x: (atMs) => gutters.left + ((atMs - span.fromMs) / (span.toMs - span.fromMs)) * width,
    y: (value) => gutters.top + height * (1 - Math.min(1, value / top)),
  };
}

interface Beginning {
  readonly element: HTMLElement;
  readonly holder: HTMLElement;
  readonly drawing: Drawing;
  readonly cursorName: string;
  readonly latest: { readonly current: TimePlotProps };
}

function beginPlot(Plot: typeof uPlot, beginning: Beginning): { plot: uPlot; stop: () => void } {
  const { element, holder, latest } = beginning;
  let palette = readPalette(element);
  const plot = new Plot(
    optionsOf(beginning, () => palette),
    latest.current.columns,
    holder,
  );
  const repaint = () => {
    palette = readPalette(element);
    plot.redraw(true, true);
  };
  const theme = window.matchMedia("(prefers-color-scheme: dark)");
  theme.addEventListener("change", repaint);
  // A theme chosen by hand stands in an attribute of the root.
  const chosen = new MutationObserver(repaint);
  chosen.observe(document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme"] });
  return {
    plot,
    stop: () => {
      theme.removeEventListener("change", repaint);
      chosen.disconnect();
      plot.destroy();
    },
  };
}

const font = '12px "Archivo Variable", "PingFang SC", "Noto Sans SC", system-ui, sans-serif';

function optionsOf({ element, drawing, cursorName, latest }: Beginning, palette: () => Palette): uPlot.Options {
  const { gutters } = latest.current;
  const soft = () => palette().soft;
  const grid = { stroke: () => palette().hairline, width: 1 };
  const spanNow = () => latest.current.span;
  const timesNow = (plot: uPlot) => drawing.times?.(spanNow(), plot.over.clientWidth) ?? [];
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    ms: 1,
    padding: [gutters.top, gutters.right, drawing.times === undefined ? gutters.bottom : 0, 0],
    legend: { show: false },
    select: { show: false, left: 0, top: 0, width: 0, height: 0 },
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: false, y: false },
      sync: { key: cursorName },
    },
    scales: {
      x: { time: false, range: () => [spanNow().fromMs, spanNow().toMs] },
      y: { range: () => [0, latest.current.top] },
    },
    axes: [
      {
        show: drawing.times !== undefined,
        size: gutters.bottom,
        gap: 4,
        font,
        stroke: soft,
        grid: { show: false },
        ticks: { ...grid, size: 4 },
        splits: (plot) => timesNow(plot).map(({ atMs }) => atMs),
        values: (plot) => timesNow(plot).map(({ text }) => text),
      },
      {
        side: 3,
        size: gutters.left,
        gap: 6,
        font,
        stroke: soft,
        grid,
        ticks: { show: false },
        show: gutters.left > 8,
        splits: () => roundValues(latest.current.top),
        values: (_plot, splits) => splits.map(drawing.valueText),
      },
    ],
    series: [{}, ...drawing.series.map((of) => of(palette))],
    bands: drawing.bands?.(palette) ?? [],
    hooks: {
      setCursor: [
        ({ cursor, data }) => {
          const { idx } = cursor;
          latest.current.onHover?.(idx === null || idx === undefined ? undefined : data[0][idx]);
        },
      ],
    },
  };
}
