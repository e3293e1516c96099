/** The bench's result rows: printed as a table and written to `.data/bench.json`. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type BenchRow, meetsBar } from "../../queue-core/bench/row.ts";

export { type BenchRow, median, percentile } from "../../queue-core/bench/row.ts";

const figure = (value: number | undefined, digits = 2): string =>
  value === undefined ? "" : value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toFixed(digits);

export function printTable(rows: readonly BenchRow[]): void {
  const header = ["name", "unit", "ours", "theirs", "ratio", "p50 ms", "p99 ms", "rounds", "bar", ""];
  const body = rows.map((row) => {
    return [
      row.name,
      row.unit,
      figure(row.ours),
      figure(row.theirs),
      figure(row.ratio, 3),
      figure(row.p50Ms),
      figure(row.p99Ms),
      String(row.rounds),
      row.bar === undefined ? "" : `${row.barIs === "at most" ? "≤" : "≥"} ${figure(row.bar)}`,
      row.bar === undefined ? "" : meetsBar(row) ? "met" : "not met",
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
  for (const { note } of rows) if (note !== undefined) console.log(note);
}

export async function writeRows(file: string, rows: readonly BenchRow[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(rows, null, 2)}\n`);
}
