/** The bench's result rows: printed as a table and written to `.data/bench.json`. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

export interface BenchRow {
  readonly name: string;
  readonly unit: string;
  /** Median over the rounds. */
  readonly ours: number;
  readonly theirs?: number;
  /** Median of the ratios of paired rounds. */
  readonly ratio?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly rounds: number;
  /** What the row has to reach to count as met; undefined rows are reported without a bar. */
  readonly bar?: number;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Nearest-rank percentile, `fraction` in 0..1; NaN without values. */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN;
}

const figure = (value: number | undefined, digits = 2): string =>
  value === undefined ? "" : value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toFixed(digits);

export function printTable(rows: readonly BenchRow[]): void {
  const header = ["name", "unit", "ours", "theirs", "ratio", "p50 ms", "p99 ms", "rounds", "bar", ""];
  const body = rows.map((row) => {
    const reached = row.ratio ?? row.ours;
    return [
      row.name,
      row.unit,
      figure(row.ours),
      figure(row.theirs),
      figure(row.ratio, 3),
      figure(row.p50Ms),
      figure(row.p99Ms),
      String(row.rounds),
      figure(row.bar),
      row.bar === undefined ? "" : reached >= row.bar ? "met" : "not met",
    ];
  });
  const widths = header.map((title, column) =>
    Math.max(title.length, ...body.map((line) => line[column]?.length ?? 0)),
  );
  for (const line of [header, ...body]) {
    console.log(
      line
        .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("  "),
    );
  }
}

export async function writeRows(file: string, rows: readonly BenchRow[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(rows, null, 2)}\n`);
}
