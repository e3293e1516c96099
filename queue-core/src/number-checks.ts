/**
 * Numbers that an application gives.
 *
 * What can go wrong: NaN passes every comparison by, so that a wait never ends or a bound never holds, and a negative
 * or endless wait is cut to one that nobody asked for. Whatever makes no sense is refused with INVALID_ARGUMENT where
 * it is given.
 */
import { QueueError } from "./errors.ts";

/** A count: an integer from 1 on; undefined passes. */
export function checkPositive(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) return;
  throw new QueueError("INVALID_ARGUMENT", `${name} is ${value}; it must be an integer from 1 on`);
}

/** A length of time: finite, from 0 on; undefined passes. */
export function checkMs(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isFinite(value) && value >= 0)) return;
  throw new QueueError("INVALID_ARGUMENT", `${name} is ${value}; it must be a finite number of ms from 0 on`);
}
