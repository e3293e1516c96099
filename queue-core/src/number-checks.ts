/**
 * Numbers that an application gives.
 *
 * What can go wrong: NaN passes every comparison by, so that a wait never ends or a bound never holds, a negative
 * number of tokens gives some, and an endless wait is cut to one that nobody asked for. All this is refused with INVALID_ARGUMENT where
 * it is given.
 */
import { QueueError } from "./errors.ts";

/** A count: an integer from 1 on; undefined passes. */
export function checkPositive(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) return;
  throw new QueueError("INVALID_ARGUMENT", `${name} is ${value}; it must be an integer from 1 on`);
}

/** A wait: finite; what is below 0 is over already. Undefined passes. */
export function checkMs(name: string, value: number | undefined): void {
  if (value === undefined || Number.isFinite(value)) return;
  throw new QueueError("INVALID_ARGUMENT", `${name} is ${value}; it must be a finite number of ms`);
}

/** Some 28,000 years: beyond them a due time has more digits than its key. */
const longestDelayMs = 9e14;

/** How long a message is delayed. Undefined passes. */
export function checkDelayMs(value: number | undefined): void {
  if (value === undefined || (Number.isFinite(value) && value <= longestDelayMs)) return;
  throw new QueueError("INVALID_ARGUMENT", `delayMs is ${value}; it must be a number of ms, ${longestDelayMs} at most`);
}

/** A number of tokens: finite, from 0 on. */
export function checkTokens(count: number): void {
  if (Number.isFinite(count) && count >= 0) return;
  throw new QueueError("INVALID_ARGUMENT", `${count} tokens were asked for; it must be a finite number from 0 on`);
}
