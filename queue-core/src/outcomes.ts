/**
 * What a handler of `consume` gave back.
 *
 * What can go wrong: a handler without types gives anything. What is no outcome is found here, before any of the list
 * is applied, and counts as a failure of the whole batch; otherwise a line would stay "running" for ever.
 */
import { QueueError } from "./errors.ts";
import { checkMs } from "./number-checks.ts";
import { done, type Outcome } from "./queue.ts";
import { describe } from "./queue-context.ts";

export function isList(outcomes: readonly Outcome[] | Outcome): outcomes is readonly Outcome[] {
  return Array.isArray(outcomes);
}

/** Throws INVALID_ARGUMENT for what is no outcome, and for a list that is not one for each message. */
export function checkOutcomes(outcomes: readonly Outcome[] | Outcome, messages: number): void {
  if (!isList(outcomes)) {
    checkOutcome(outcomes);
    return;
  }
  if (outcomes.length !== messages) {
    throw new QueueError("INVALID_ARGUMENT", `handle gave ${outcomes.length} outcomes for ${messages} messages`);
  }
  for (const outcome of outcomes) checkOutcome(outcome);
}

function checkOutcome(outcome: Outcome): void {
  if (outcome === done) return;
  if (typeof outcome !== "object" || outcome === null) {
    throw new QueueError("INVALID_ARGUMENT", `handle gave ${describe(outcome)} for an outcome`);
  }
  if (outcome.kind === "retry" || outcome.kind === "pause") checkMs(`afterMs of ${outcome.kind}`, outcome.afterMs);
}
