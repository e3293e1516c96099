/** The four ways as text: small multiples on one scale for each row, a table, a sentence each, and the verdicts. */
import type { FourWaysCheck, FourWaysCurve, FourWaysPlan, FourWaysReport, FourWaysSecond, Way } from "@plateau/domain";
import { secondsOf } from "./plan.ts";

export const titles: Readonly<Record<Way, string>> = {
  "all-synchronous": "1  all five steps synchronous",
  "two-synchronous": "2  two synchronous, three queued",
  "request-queue": "3  request queue and replies",
  "token-bucket": "4  token bucket, no request queue",
};

const sentences: Readonly<Record<Way, (curve: FourWaysCurve) => string>> = {
  "all-synchronous": ({ summary }) =>
    `Everybody waits in line for the slowest step: ${summary?.failed ?? 0} people got no decision in time.`,
  "two-synchronous": ({ summary }) =>
    `The answer no longer waits for the SMS, but every request still locks the one row: ${summary?.failed ?? 0} got no decision.`,
  "request-queue": ({ summary }) =>
    `The spike becomes a backlog of ${summary?.peakBacklog ?? 0} and is worked off at the workers' pace; people wait, and are told the truth.`,
  "token-bucket": ({ summary }) =>
    `${summary?.refused ?? 0} people are refused, and 99 of 100 know their end within ${summary?.p99Ms ?? "?"} ms.`,
};

const bars = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;

/** A space is nothing at all; the highest bar is `most`. */
export function sparkline(values: readonly number[], most: number): string {
  return values
    .map((value) => {
      if (value <= 0 || most <= 0) return " ";
      return bars[Math.min(bars.length - 1, Math.ceil((value / most) * bars.length) - 1)];
    })
    .join("");
}

const rows: readonly (readonly [name: string, of: (second: FourWaysSecond) => number])[] = [
  ["arrivals/s", ({ arrivals }) => arrivals],
  ["accepted/s", ({ accepted }) => accepted],
  ["refused/s", ({ refused }) => refused],
  ["failed/s", ({ failed }) => failed],
  ["p99 ms", ({ p99Ms }) => p99Ms ?? 0],
  ["backlog", ({ backlog }) => backlog],
  ["statements/s", ({ databaseStatements }) => databaseStatements],
  ["busy connections", ({ databaseBusy }) => databaseBusy],
];

/** Each row on one scale for all ways: its highest value, told at the right. */
export function multiples(curves: readonly FourWaysCurve[], plan: FourWaysPlan): readonly string[] {
  const width = Math.max(secondsOf(plan), ...curves.map(({ seconds }) => seconds.length));
  const mostOf = new Map(rows.map(([name, of]) => [name, Math.max(...curves.flatMap((one) => one.seconds.map(of)))]));
  return curves.flatMap((curve) => [
    "",
    titles[curve.way],
    ...rows.map(([name, of]) => {
      const values = curve.seconds.map(of);
      const line = sparkline(values, mostOf.get(name) ?? 0).padEnd(width);
      return `  ${name.padEnd(16)} │${line}│ up to ${rounded(Math.max(0, ...values))} of ${rounded(mostOf.get(name) ?? 0)}`;
    }),
  ]);
}

const columns: readonly (readonly [name: string, of: (curve: FourWaysCurve) => number | null | undefined])[] = [
  ["accepted/s", ({ summary }) => summary?.acceptedPerSecond],
  ["accepted", ({ summary }) => summary?.accepted],
  ["declined", ({ summary }) => summary?.declined],
  ["refused", ({ summary }) => summary?.refused],
  ["failed", ({ summary }) => summary?.failed],
  ["p50 ms", ({ summary }) => summary?.p50Ms],
  ["p99 ms", ({ summary }) => summary?.p99Ms],
  ["stmts/s peak", ({ summary }) => summary?.peakDatabaseStatements],
  ["busy peak", ({ summary }) => summary?.peakDatabaseBusy],
  ["stmts/sale", ({ summary }) => summary?.databaseStatementsPerAccepted],
];

export function table(curves: readonly FourWaysCurve[]): readonly string[] {
  const first = Math.max(...Object.values(titles).map(({ length }) => length));
  const line = (head: string, cells: readonly string[]): string =>
    [head.padEnd(first), ...cells.map((cell, index) => cell.padStart((columns[index]?.[0].length ?? 0) + 2))].join("");
  return [
    line(
      "",
      columns.map(([name]) => name),
    ),
    ...curves.map((curve) =>
      line(
        titles[curve.way],
        columns.map(([, of]) => rounded(of(curve) ?? Number.NaN)),
      ),
    ),
  ];
}

const marks = { pass: "✓", fail: "✗", unknown: "?" } as const;

const checkLine = ({ title, verdict, evidence }: FourWaysCheck): string => `${marks[verdict]} ${title}: ${evidence}`;

export function reportLines(report: FourWaysReport): readonly string[] {
  const { plan, comparisons, verdict } = report;
  const curves = report.curves.filter(({ seconds }) => seconds.length > 0);
  if (plan === null || curves.length === 0) return [`four ways: ${verdict}; none of them ran`];
  return [
    ...multiples(curves, plan),
    "",
    ...table(curves),
    "",
    ...curves.map((curve) => `${titles[curve.way].slice(0, 1)}  ${sentences[curve.way](curve)}`),
    "",
    ...curves.map((curve) => truthLine(curve)),
    ...comparisons.map(checkLine),
    "",
    `four ways, seed ${plan.seed}: ${verdict}`,
  ];
}

/** All is well in one line; what is not, in a line each. */
function truthLine({ way, truth }: FourWaysCurve): string {
  const number = titles[way].slice(0, 1);
  if (truth.length > 0 && truth.every(({ verdict }) => verdict === "pass")) {
    return `✓ way ${number} told the truth: ${truth.map(({ evidence }) => evidence).join("; ")}`;
  }
  if (truth.length === 0) return `? way ${number} did not run`;
  return truth
    .filter(({ verdict }) => verdict !== "pass")
    .map((check) => `way ${number} ${checkLine(check)}`)
    .join("\n");
}

function rounded(value: number): string {
  if (Number.isNaN(value)) return "–";
  return value < 10 && !Number.isInteger(value) ? value.toFixed(1) : String(Math.round(value));
}
