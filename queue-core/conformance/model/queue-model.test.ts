/**
 * The public API against a simple model, under random commands that shrink (fast-check), on the memory engine.
 *
 *   QUEUE_MODEL_SEED=… QUEUE_MODEL_SECONDS=… npx vitest run --config .vitest.config.ts queue-core/conformance/model
 *
 * A failure prints its seed, its path and the shortest commands found.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { matchesModel } from "./matches-model.ts";

const { QUEUE_MODEL_SEED, QUEUE_MODEL_SECONDS = "6" } = process.env;

/** What has to have happened at least once in all runs together, lest they prove nothing. */
const notVacuous = [
  "done delivery",
  "retry delivery",
  "throw delivery",
  "dead delivery",
  "pause delivery",
  "last attempt",
  "expired",
  "recognised repeat",
  "answered request",
  "timed-out request",
  "poison",
  "take-over",
  "publish now",
  "publish later",
  "half message",
  "check-back commit",
  "check-back rollback",
  "check-back unknown",
  "unanswered half",
  "redriven workers",
  "redriven ledger",
  "redriven sales",
  "stop worker",
  "kill worker",
  "stop ledger",
  "kill ledger",
  "close gate",
];

it("the queue does what a simple model says, whatever is asked of it in whatever order", async () => {
  const all: Record<string, number> = {};
  let runs = 0;
  const property = matchesModel((seen) => {
    runs++;
    for (const [what, times] of Object.entries(seen)) all[what] = (all[what] ?? 0) + times;
  });
  await fc.assert(property, {
    ...(QUEUE_MODEL_SEED === undefined ? {} : { seed: Number(QUEUE_MODEL_SEED) }),
    numRuns: 100_000,
    interruptAfterTimeLimit: Number(QUEUE_MODEL_SECONDS) * 1_000,
  });
  expect(runs).toBeGreaterThan(0);
  // A busy machine may come to few runs only; what they hold is then left to chance.
  if (runs >= 60) expect(notVacuous.filter((what) => all[what] === undefined)).toEqual([]);
});
