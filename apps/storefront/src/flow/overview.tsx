"use client";
/**
 * The last hour at a glance, and the window that the chart above shows of it: drag it, or move it with the arrow
 * keys. At its right end it follows the time.
 */
import { type KeyboardEvent, type PointerEvent, useMemo, useRef } from "react";
import { useTranslations } from "use-intl";
import { useFigures } from "../language/words-in-browser.tsx";
import { arrivalColumns } from "./columns.ts";
import { overviewDrawing } from "./drawings.ts";
import { roundedTop, type Span, spanEndingAt } from "./plot/scale.ts";
import { type PlotBox, TimePlot } from "./plot/time-plot.tsx";
import { keptMs, type Second } from "./second.ts";

export interface OverviewProps {
  readonly seconds: readonly Second[];
  readonly span: Span;
  readonly zone: string | undefined;
  /** The window's new end; undefined when it follows the time. */
  readonly onMove: (endMs: number | undefined) => void;
}

const gutters = { top: 2, right: 2, bottom: 22, left: 2 };

export function Overview({ seconds, span, zone, onMove }: OverviewProps) {
  const columns = useMemo(() => arrivalColumns(seconds), [seconds]);
  const endMs = seconds.at(-1)?.atMs ?? span.toMs;
  const whole = { fromMs: endMs - keptMs, toMs: endMs };
  const top = roundedTop(Math.max(...seconds.map((s) => s.arrivals)), 10);
  const moveTo = (toMs: number) => {
    const moved = spanEndingAt(toMs, span.toMs - span.fromMs, whole);
    onMove(moved.toMs >= whole.toMs ? undefined : moved.toMs);
  };
  return (
    <TimePlot
      drawing={overviewDrawing}
      columns={columns}
      span={whole}
      top={top}
      gutters={gutters}
      className="plot-overview"
      cursorName="overview"
    >
      {(box) => <Window box={box} span={span} whole={whole} zone={zone} onMove={moveTo} />}
    </TimePlot>
  );
}

interface WindowProps {
  readonly box: PlotBox;
  readonly span: Span;
  readonly whole: Span;
  readonly zone: string | undefined;
  readonly onMove: (toMs: number) => void;
}

function Window({ box, span, whole, zone, onMove }: WindowProps) {
  const words = useTranslations("live.chart");
  const figures = useFigures();
  const grip = useRef<number>(undefined);
  const lengthMs = span.toMs - span.fromMs;
  const timeAt = (event: PointerEvent<HTMLElement>) => {
    const { left } = event.currentTarget.getBoundingClientRect();
    return whole.fromMs + ((event.clientX - left) / box.width) * (whole.toMs - whole.fromMs);
  };
  const take = (event: PointerEvent<HTMLElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    const atMs = timeAt(event);
    const inside = atMs >= span.fromMs && atMs <= span.toMs;
    grip.current = inside ? span.toMs - atMs : lengthMs / 2;
    if (!inside) onMove(atMs + lengthMs / 2);
  };
  const drag = (event: PointerEvent<HTMLElement>) => {
    if (grip.current !== undefined) onMove(timeAt(event) + grip.current);
  };
  const step = (event: KeyboardEvent) => {
    const to = keySteps(event.key, span, whole);
    if (to === undefined) return;
    event.preventDefault();
    onMove(to);
  };
  const time = (atMs: number) => figures.clock(atMs, "second", zone);
  return (
    <div
      className="overview-window"
      role="slider"
      tabIndex={0}
      aria-label={words("window")}
      aria-valuemin={-Math.round((whole.toMs - whole.fromMs - lengthMs) / 1_000)}
      aria-valuemax={0}
      aria-valuenow={Math.round((span.toMs - whole.toMs) / 1_000)}
      aria-valuetext={words("windowFromTo", { from: time(span.fromMs), to: time(span.toMs) })}
      style={{ left: box.left, top: box.top, width: box.width, height: box.height }}
      onPointerDown={take}
      onPointerMove={drag}
      onPointerUp={() => {
        grip.current = undefined;
      }}
      onKeyDown={step}
    >
      <div
        className="overview-shown"
        style={{
          transform: `translateX(${Math.max(0, box.x(span.fromMs) - box.left)}px)`,
          width: Math.max(6, box.x(span.toMs) - Math.max(box.left, box.x(span.fromMs))),
        }}
      />
    </div>
  );
}

function keySteps(key: string, { fromMs, toMs }: Span, whole: Span): number | undefined {
  const page = toMs - fromMs;
  if (key === "ArrowLeft" || key === "ArrowDown") return toMs - page / 6;
  if (key === "ArrowRight" || key === "ArrowUp") return toMs + page / 6;
  if (key === "PageDown") return toMs - page;
  if (key === "PageUp") return toMs + page;
  if (key === "Home") return whole.fromMs + page;
  if (key === "End") return whole.toMs;
  return undefined;
}
