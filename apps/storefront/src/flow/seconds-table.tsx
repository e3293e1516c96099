"use client";
/** The chart in figures, newest first, for those who do not see charts and those who want them exactly. */
import { useFormatter, useTranslations } from "use-intl";
import { useFigures } from "../language/words-in-browser.tsx";
import type { ChartMark } from "./marks.ts";
import type { Span } from "./plot/scale.ts";
import { type Second, shedInAll } from "./second.ts";

export interface SecondsTableProps {
  readonly seconds: readonly Second[];
  readonly marks: readonly ChartMark[];
  readonly span: Span;
  /** Undefined: the reader's own. */
  readonly zone: string | undefined;
}

const rowsMax = 200;

export function SecondsTable({ seconds, marks, span, zone }: SecondsTableProps) {
  const words = useTranslations("live.table");
  const format = useFormatter();
  const figures = useFigures();
  const shown = seconds.filter(({ atMs }) => atMs > span.fromMs && atMs <= span.toMs);
  const everyNth = Math.ceil(shown.length / rowsMax);
  const rows = shown.toReversed().filter((_second, index) => index % everyNth === 0);
  const count = (value: number) => format.number(value, { maximumFractionDigits: value < 10 ? 1 : 0 });
  const ms = (value: number | null) => (value === null ? "–" : words("ms", { ms: count(value) }));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="seconds-frame" tabIndex={0} aria-label={words("title")}>
      <table className="room-table" data-testid="seconds">
        <thead>
          <tr>
            {(
              ["time", "arrivals", "admitted", "shed", "decided", "backlog", "p50", "p95", "p99", "marks"] as const
            ).map((name) => (
              <th key={name} scope="col" className={name === "marks" ? "words" : undefined}>
                {words(name)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((second, index) => (
            <tr key={second.atMs} data-at={second.atMs}>
              <th scope="row">{figures.clock(second.atMs, "second", zone)}</th>
              <td>{count(second.arrivals)}</td>
              <td>{count(second.admitted)}</td>
              <td>{count(shedInAll(second))}</td>
              <td>{count(second.decided)}</td>
              <td>{count(second.backlog)}</td>
              <td>{ms(second.latency.answer.p50)}</td>
              <td>{ms(second.latency.answer.p95)}</td>
              <td>{ms(second.latency.answer.p99)}</td>
              <td className="words">{marksUpTo(second, rows[index + 1], marks)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** What happened since the row below. */
const marksUpTo = (second: Second, before: Second | undefined, marks: readonly ChartMark[]): string =>
  marks
    .filter(({ atMs }) => atMs <= second.atMs && atMs > (before?.atMs ?? second.atMs - 1_000))
    .map(({ text }) => text)
    .join("; ");
