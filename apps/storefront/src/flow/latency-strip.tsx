"use client";
/** How long the steps take: half of all, 95 and 99 of 100, the figure of now large. Each on a scale of its own. */
import type { Latency } from "@plateau/domain/control-room";
import { useMemo } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { columnsOf } from "./columns.ts";
import { latencyDrawing } from "./drawings.ts";
import { roundedTop, type Span } from "./plot/scale.ts";
import { TimePlot } from "./plot/time-plot.tsx";
import { type Second, shownMs } from "./second.ts";

const steps = ["enqueue", "wait", "answer"] as const;
type Step = (typeof steps)[number];
const gutters = { top: 2, right: 0, bottom: 0, left: 0 };
const nothing: Latency = { p50: null, p95: null, p99: null };

export function LatencyStrip({ seconds }: { readonly seconds: readonly Second[] }) {
  const toMs = seconds.at(-1)?.atMs ?? 0;
  const span = useMemo(() => ({ fromMs: toMs - shownMs, toMs }), [toMs]);
  const shown = useMemo(() => seconds.filter(({ atMs }) => atMs > span.fromMs), [seconds, span]);
  return (
    <div className="latency-strip">
      {steps.map((step) => (
        <OneLatency key={step} step={step} seconds={shown} span={span} />
      ))}
    </div>
  );
}

function OneLatency(props: { readonly step: Step; readonly seconds: readonly Second[]; readonly span: Span }) {
  const { step, seconds, span } = props;
  const words = useTranslations("live.latency");
  const text = useMsText();
  const columns = useMemo(() => {
    const of = (percentile: keyof Latency) => (second: Second) => second.latency[step]?.[percentile] ?? null;
    return columnsOf(seconds, [of("p99"), of("p95"), of("p50")]);
  }, [seconds, step]);
  const now = seconds.findLast(({ latency }) => (latency[step]?.p50 ?? null) !== null)?.latency[step] ?? nothing;
  const top = roundedTop(Math.max(...seconds.map(({ latency }) => latency[step]?.p99 ?? 0)), 1);
  return (
    <section aria-label={words(step)} title={words(`${step}Means`)}>
      <p className="room-label">{words(step)}</p>
      <p className="latency-now">{text(now.p50)}</p>
      <p className="room-label tabular">{words("tail", { p95: text(now.p95), p99: text(now.p99) })}</p>
      <TimePlot
        drawing={latencyDrawing}
        columns={columns}
        span={span}
        top={top}
        gutters={gutters}
        className="plot-latency"
        cursorName="latency"
      />
    </section>
  );
}

/** Three digits that count, in ms, from 1 s on in seconds. */
function useMsText(): (ms: number | null) => string {
  const words = useTranslations("live.latency");
  const format = useFormatter();
  return (ms) => {
    if (ms === null) return "–";
    const seconds = ms >= 1_000;
    const value = seconds ? ms / 1_000 : ms;
    const figure = format.number(value, { maximumFractionDigits: value < 10 ? 1 : 0 });
    return words(seconds ? "seconds" : "ms", { figure });
  };
}
