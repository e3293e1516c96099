"use client";
import type { FourWaysCurve, FourWaysSummary } from "@plateau/domain/four-ways";
import { useMemo } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { type PlotBox, TimePlot } from "../flow/plot/time-plot.tsx";
import { databaseOfWay, rateOfWay, type WaysScale, wayDatabaseDrawing, wayRateDrawing } from "./ways-summary.ts";

const gutters = {
  rates: { top: 28, right: 4, bottom: 4, left: 38 },
  database: { top: 28, right: 4, bottom: 22, left: 38 },
};

/** One of the four: its curves on the common scale, its figures, and what one sees. */
export function OneWay({ curve, scale }: { readonly curve: FourWaysCurve; readonly scale: WaysScale }) {
  const words = useTranslations("ops.ways");
  const rates = useMemo(() => rateOfWay(curve), [curve]);
  const database = useMemo(() => databaseOfWay(curve), [curve]);
  const { lengthMs } = scale;
  const span = useMemo(() => ({ fromMs: 0, toMs: lengthMs }), [lengthMs]);
  const { way, state, summary } = curve;
  const title = (_box: PlotBox, text: string) => <p className="plot-title">{text}</p>;
  return (
    <li className="one-way" data-way={way} data-state={state}>
      <h2>{words(`way.${way}.name`)}</h2>
      <p className="room-label one-way-does">{words(`way.${way}.does`)}</p>
      <TimePlot
        drawing={wayRateDrawing}
        columns={rates}
        span={span}
        top={scale.rateTop}
        gutters={gutters.rates}
        className="plot-way-rates"
        cursorName="ways"
      >
        {(box) => (
          <>
            <p className="plot-title">
              <span className="way-arrivals">{words("arrivals")}</span>{" "}
              <span className="way-accepted">{words("acceptedLine")}</span>
            </p>
            {rates[0].length === 0 ? (
              <p className="way-waiting" style={{ transform: `translate(${box.left}px, ${box.top + 8}px)` }}>
                {words(`state.${state}`)}
              </p>
            ) : null}
          </>
        )}
      </TimePlot>
      <TimePlot
        drawing={wayDatabaseDrawing}
        columns={database}
        span={span}
        top={scale.databaseTop}
        gutters={gutters.database}
        className="plot-way-database"
        cursorName="ways"
      >
        {(box) => title(box, words("databaseLine"))}
      </TimePlot>
      <Figures summary={summary} />
      <p className="one-way-sees">{summary === null ? "" : words(`sees.${way}`)}</p>
      <p className="room-label">{summary === null ? "" : words(truthOf(curve))}</p>
    </li>
  );
}

function truthOf({ truth }: FourWaysCurve): "truth" | "untruth" | "unknownTruth" {
  if (truth.some(({ verdict }) => verdict === "fail")) return "untruth";
  return truth.length > 0 && truth.every(({ verdict }) => verdict === "pass") ? "truth" : "unknownTruth";
}

function Figures({ summary }: { readonly summary: FourWaysSummary | null }) {
  const words = useTranslations("ops.ways");
  const format = useFormatter();
  const count = (value: number | undefined) => (value === undefined ? "–" : format.number(Math.round(value)));
  const ms = (value: number | null | undefined) => {
    if (value === null || value === undefined) return "–";
    return value >= 1_000
      ? words("s", { figure: format.number(value / 1_000, { maximumFractionDigits: 1 }) })
      : words("ms", { figure: count(value) });
  };
  const rows = [
    ["accepted", count(summary?.acceptedPerSecond)],
    ["p99", ms(summary?.p99Ms)],
    ["refused", count(summary?.refused)],
    ["failedCount", count(summary?.failed)],
    ["database", summary === null ? "–" : format.number(summary.peakDatabaseBusy, { maximumFractionDigits: 1 })],
  ] as const;
  return (
    <dl className="way-figures">
      {rows.map(([name, figure]) => (
        <div key={name}>
          <dt className="room-label">{words(name)}</dt>
          <dd>{figure}</dd>
        </div>
      ))}
    </dl>
  );
}
