/**
 * Seconds as columns for the chart.
 *
 * What can go wrong: a second that nobody sampled must show as a gap and not as a slope.
 */
import { type Second, shedReasons } from "./second.ts";

type Columns = [number[], ...(number | null)[][]];

/** Longer without a sample is drawn as a gap. */
const gapMs = 3_500;

/** A column for each of `of`, the times first; nothing where samples are missing. */
export function columnsOf(seconds: readonly Second[], of: readonly ((second: Second) => number | null)[]): Columns {
  const times: number[] = [];
  const columns: (number | null)[][] = of.map(() => []);
  let beforeMs: number | undefined;
  for (const second of seconds) {
    if (beforeMs !== undefined && second.atMs - beforeMs > gapMs) {
      times.push(beforeMs + 1);
      for (const column of columns) column.push(null);
    }
    times.push(second.atMs);
    for (const [index, value] of of.entries()) columns[index]?.push(value(second));
    beforeMs = second.atMs;
  }
  return [times, ...columns];
}

/** Those let in, and on top of them those turned away, reason by reason; all who came; what was decided. */
export function rateColumns(seconds: readonly Second[]): Columns {
  const stacked = shedReasons.map(
    (_reason, index) =>
      ({ admitted, shed }: Second) =>
        shedReasons.slice(0, index + 1).reduce((sum, reason) => sum + shed[reason], admitted),
  );
  return columnsOf(seconds, [(s) => s.admitted, ...stacked, (s) => s.arrivals, (s) => s.decided]);
}

export const backlogColumns = (seconds: readonly Second[]): Columns => columnsOf(seconds, [(s) => s.backlog]);

export const arrivalColumns = (seconds: readonly Second[]): Columns => columnsOf(seconds, [(s) => s.arrivals]);
