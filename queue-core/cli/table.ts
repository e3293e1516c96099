/** Aligned columns, and how numbers, sizes and times are written in them. */
import { printable } from "./printable.ts";

export interface Column<Row> {
  readonly title: string;
  readonly align: "left" | "right";
  cell(row: Row): string;
}

export const left = <Row>(title: string, cell: (row: Row) => string): Column<Row> => ({ title, align: "left", cell });
export const right = <Row>(title: string, cell: (row: Row) => string): Column<Row> => ({ title, align: "right", cell });

export function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): readonly string[] {
  const cells = [
    columns.map(({ title }) => title.toUpperCase()),
    ...rows.map((row) => columns.map((column) => printable(column.cell(row)))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => (line[index] as string).length)));
  return cells.map((line) =>
    line
      .map((cell, index) => {
        const width = widths[index] as number;
        return columns[index]?.align === "right" ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

export const none = "–";

const grouped = new Intl.NumberFormat("en-US");

export const count = (value: number): string => grouped.format(value);

/** "1 batch", "2 batches". */
export const counted = (value: number, one: string, many: string = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

const units = ["B", "KiB", "MiB", "GiB", "TiB"];

export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${count(bytes)} B` : `${value.toFixed(1)} ${units[unit]}`;
}

/** UTC, ms; a time that no calendar has (from damaged or hostile bytes) as its number. */
export function time(timeMs: number): string {
  const date = new Date(timeMs);
  return Number.isNaN(date.getTime()) ? `${timeMs} ms` : date.toISOString();
}
