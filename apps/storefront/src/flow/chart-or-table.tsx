"use client";
/** The chart or the same in figures, of a span that follows the time or stands where it was moved to. */
import { useId, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import type { ChartMark } from "./marks.ts";
import { Overview } from "./overview.tsx";
import { PeakChart } from "./peak-chart.tsx";
import { type Second, shownMs } from "./second.ts";
import { SecondsTable } from "./seconds-table.tsx";

export interface ChartOrTableProps {
  readonly seconds: readonly Second[];
  readonly marks: readonly ChartMark[];
  readonly zone: string | undefined;
  /** `hour`: with the last hour below it, and longer spans to choose. */
  readonly reach: "three-minutes" | "hour";
}

const lengths = { three: shownMs, fifteen: 900_000, hour: 3_600_000 } as const;
type Length = keyof typeof lengths;

export function ChartOrTable({ seconds, marks, zone, reach }: ChartOrTableProps) {
  const words = useTranslations("live.chart");
  const [view, setView] = useState<"chart" | "table">("chart");
  const [length, setLength] = useState<Length>("three");
  const [endMs, setEndMs] = useState<number>();
  const toMs = endMs ?? seconds.at(-1)?.atMs ?? 0;
  const span = useMemo(() => ({ fromMs: toMs - lengths[length], toMs }), [toMs, length]);
  return (
    <div className="chart-or-table">
      <div className="chart-space" data-tour="chart">
        {view === "chart" ? (
          <PeakChart seconds={seconds} marks={marks} span={span} />
        ) : (
          <SecondsTable seconds={seconds} marks={marks} span={span} zone={zone} />
        )}
      </div>
      <div className="chart-controls">
        <Choice
          name={words("view")}
          value={view}
          options={{ chart: words("chart"), table: words("table") }}
          onChoose={setView}
        />
        {reach === "hour" ? (
          <>
            <Choice
              name={words("span")}
              value={length}
              options={{ three: words("minutes", { n: 3 }), fifteen: words("minutes", { n: 15 }), hour: words("hour") }}
              onChoose={setLength}
            />
            <Overview seconds={seconds} span={span} zone={zone} onMove={setEndMs} />
            <button
              type="button"
              className="room-button"
              aria-disabled={endMs === undefined}
              onClick={() => setEndMs(undefined)}
            >
              {words("backToNow")}
            </button>
          </>
        ) : null}
      </div>
    </div>
  );
}

function Choice<Value extends string>(props: {
  readonly name: string;
  readonly value: Value;
  readonly options: Readonly<Record<Value, string>>;
  readonly onChoose: (value: Value) => void;
}) {
  const group = useId();
  return (
    <fieldset className="room-choice">
      <legend className="sr-only">{props.name}</legend>
      {(Object.entries(props.options) as [Value, string][]).map(([value, text]) => (
        <label key={value}>
          <input
            type="radio"
            className="sr-only"
            name={group}
            checked={value === props.value}
            onChange={() => props.onChoose(value)}
          />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}
