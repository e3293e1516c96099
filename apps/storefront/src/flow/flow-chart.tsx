"use client";
/** Rates above, backlog below, one time axis: a peak comes in, the decided line stays flat, the queue takes the rest. */
import type { FlowSample } from "@plateau/domain/http";
import { useEffect, useRef, useState } from "react";
import { countText } from "../text/figures.ts";
import { windowMs } from "./samples.ts";
import { areaPath, linePath, type Point, roundedTop, spreadLabels } from "./scale.ts";

const rates = { top: 24, height: 220 };
const backlogs = { top: rates.top + rates.height + 44, height: 110 };
const height = backlogs.top + backlogs.height + 28;
const left = 44;
const labelGap = 18;

export function FlowChart({ samples }: { readonly samples: readonly FlowSample[] }) {
  const { width, frame } = useWidth();
  const right = width < 640 ? 84 : 128;
  const endMs = samples.at(-1)?.atMs ?? 0;
  const x = (atMs: number) => left + ((atMs - (endMs - windowMs)) / windowMs) * (width - left - right);
  const rateTop = roundedTop(Math.max(...samples.map((s) => Math.max(s.arrivals, s.admitted, s.decided))), 10);
  const backlogTop = roundedTop(Math.max(...samples.map((s) => s.backlog)), 10);
  const rateY = (value: number) => rates.top + rates.height * (1 - value / rateTop);
  const backlogY = (value: number) => backlogs.top + backlogs.height * (1 - value / backlogTop);
  const points = (of: (sample: FlowSample) => number, y: (value: number) => number): Point[] =>
    samples.map((sample) => ({ x: x(sample.atMs), y: y(of(sample)) }));
  const last = samples.at(-1);
  const baseY = backlogs.top + backlogs.height;

  return (
    <div ref={frame}>
      <svg
        className="flow-chart"
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={summary(last)}
      >
        <Grid y={rates.top} height={rates.height} top={rateTop} title="Requests per second" to={width - right} />
        <Grid
          y={backlogs.top}
          height={backlogs.height}
          top={backlogTop}
          title="Waiting in the queue"
          to={width - right}
        />
        <path
          className="backlog"
          d={areaPath(
            points((s) => s.backlog, backlogY),
            baseY,
          )}
        />
        <path className="arrivals" d={linePath(points((s) => s.arrivals, rateY))} />
        <path className="admitted" d={linePath(points((s) => s.admitted, rateY))} />
        <path className="decided" d={linePath(points((s) => s.decided, rateY))} />
        {last === undefined ? null : <EndLabels last={last} x={width - right + 10} rateY={rateY} backlogY={backlogY} />}
        <text x={left} y={height - 8}>
          3 min ago
        </text>
        <text x={width - right} y={height - 8} textAnchor="end">
          now
        </text>
      </svg>
    </div>
  );
}

function Grid(props: {
  readonly y: number;
  readonly height: number;
  readonly top: number;
  readonly title: string;
  readonly to: number;
}) {
  const { y, height: tall, top, title, to } = props;
  return (
    <g>
      <text x={left} y={y - 10}>
        {title}
      </text>
      {[0, 0.5, 1].map((share) => (
        <g key={share}>
          <line className="axis" x1={left} x2={to} y1={y + tall * (1 - share)} y2={y + tall * (1 - share)} />
          <text x={left - 8} y={y + tall * (1 - share) + 4} textAnchor="end">
            {shortText(top * share)}
          </text>
        </g>
      ))}
    </g>
  );
}

function EndLabels(props: {
  readonly last: FlowSample;
  readonly x: number;
  readonly rateY: (value: number) => number;
  readonly backlogY: (value: number) => number;
}) {
  const { last, x, rateY, backlogY } = props;
  const names = ["arrivals", "admitted", "decided"] as const;
  const heights = spreadLabels(
    names.map((name) => rateY(last[name])),
    labelGap,
    rates.top + rates.height,
  );
  return (
    <g>
      {names.map((name, index) => (
        <text key={name} className={`end-${name}`} x={x} y={(heights[index] ?? 0) + 4}>
          {name} {shortText(last[name])}
        </text>
      ))}
      <text x={x} y={backlogY(last.backlog) + 4}>
        backlog {shortText(last.backlog)}
      </text>
    </g>
  );
}

const shortText = (value: number): string =>
  value >= 10_000 ? `${Math.round(value / 1000)}k` : countText(Math.round(value));

const summary = (last: FlowSample | undefined): string =>
  last === undefined
    ? "No samples yet"
    : `Arrivals, admitted and decided requests per second over three minutes, and the backlog below. The same numbers stand in the table.`;

/** The chart is drawn in the pixels it has, so that its text keeps its size. */
function useWidth() {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(1_000);
  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setWidth(Math.max(280, Math.floor(entry.contentRect.width)));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { width, frame };
}
