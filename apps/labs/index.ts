/** The labs: one runnable experiment for a lesson each. `apps/demo` starts them and gives them what they work on. */
export type { Size } from "./four-ways/plan.ts";
export { reportLines, titles } from "./four-ways/print.ts";
export type { ServedWay } from "./four-ways/serve.ts";

/** One that `npm run lab -- <number>` runs. */
export interface Lab {
  /** Of the lesson, two digits. */
  readonly number: string;
  readonly title: string;
  /** Seconds, about. */
  readonly takesS: number;
}

export const labs: readonly Lab[] = [
  { number: "01", title: "Why a queue: four ways to serve one purchase endpoint, on the same load", takesS: 75 },
];

/** The module of each experiment that runs as a process of its own. */
export const fourWaysModule = new URL("./four-ways/main.ts", import.meta.url);
/** One way alone, for a load from outside. */
export const oneWayModule = new URL("./four-ways/serve.ts", import.meta.url);
