/**
 * The two tours: what they show, in which order, and how it is remembered that one was offered.
 *
 * A step points at an element that bears its name in `data-tour`. Where the page lacks it (no sale is planned, say), the
 * step is told all the same, without pointing.
 */
import type { Side } from "./place.ts";

export const tours = {
  shop: ["peak", "queue", "order", "sms", "live"],
  room: ["story", "spikes", "chart", "knobs", "verdict"],
} as const;

export type TourName = keyof typeof tours;

/** What a link's hash says to begin the tour of the page that it leads to. */
export const startHash = "#tour";

/** Set once it was offered, so that nobody is asked twice. */
export const offeredCookie = (tour: TourName): string => `tour-${tour}`;
export const offeredForS = 31_536_000;

/** Of two tours with the same step names, only one is ever on a page. */
export const stepSelector = (step: string): string => `[data-tour="${step}"]`;

/** Steps whose card would hide what belongs to what is pointed at: the rows of the timetable, the faults under the knobs. */
const elsewhere: Readonly<Record<string, Side>> = { peak: "above", knobs: "left" };

export const sideOf = (step: string): Side => elsewhere[step] ?? "below";
