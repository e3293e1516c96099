/** The four ways on one scale: what is drawn, and how high the scale must be so that all four fit. */
import type { FourWaysCurve, FourWaysReport, FourWaysSecond } from "@plateau/domain/four-ways";
import { roundedTop } from "../flow/plot/scale.ts";
import type { Drawing } from "../flow/plot/time-plot.tsx";

type Columns = [number[], ...(number | null)[][]];

const secondMs = 1_000;

/** 1 who came, 2 who won; one point a second. */
export const rateOfWay = ({ seconds }: FourWaysCurve): Columns =>
  columns(seconds, [(s) => s.arrivals, (s) => s.accepted]);

/** How busy the database was. */
export const databaseOfWay = ({ seconds }: FourWaysCurve): Columns => columns(seconds, [(s) => s.databaseBusy]);

function columns(seconds: readonly FourWaysSecond[], of: readonly ((second: FourWaysSecond) => number)[]): Columns {
  return [seconds.map(({ second }) => second * secondMs), ...of.map((value) => seconds.map(value))];
}

export interface WaysScale {
  readonly lengthMs: number;
  readonly rateTop: number;
  readonly databaseTop: number;
}

/** One for all four: else a small peak would look like a large one. */
export function scaleOf({ plan, curves }: FourWaysReport): WaysScale {
  const all = curves.flatMap(({ seconds }) => seconds);
  const planned = plan?.phases ?? [];
  const lengthS = Math.max(
    planned.reduce((sum, { seconds }) => sum + seconds, 0),
    ...all.map(({ second }) => second + 1),
    10,
  );
  return {
    lengthMs: lengthS * secondMs,
    rateTop: roundedTop(Math.max(...all.map((s) => s.arrivals), ...planned.map((p) => p.arrivalsPerSecond)), 10),
    databaseTop: roundedTop(Math.max(...all.map((s) => s.databaseBusy)), 1),
  };
}

const figures = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const none = { points: { show: false } } as const;

export const wayRateDrawing: Drawing = {
  series: [
    (palette) => ({ ...none, stroke: () => palette().arrivals, width: 1.5 }),
    (palette) => ({
      ...none,
      stroke: () => palette().decided,
      width: 2.5,
      fill: () => palette().wash("decided", 18),
    }),
  ],
  valueText: (value) => figures.format(value),
};

export const wayDatabaseDrawing: Drawing = {
  series: [
    (palette) => ({
      ...none,
      stroke: () => palette().backlog,
      width: 1.5,
      fill: () => palette().wash("backlog", 40),
    }),
  ],
  times: ({ toMs }) => {
    const every = toMs > 40_000 ? 10_000 : 5_000;
    const count = Math.floor((toMs - 1) / every);
    return Array.from({ length: count }, (_, index) => ({
      atMs: (index + 1) * every,
      text: `${((index + 1) * every) / 1_000} s`,
    }));
  },
  valueText: (value) => figures.format(value),
};
