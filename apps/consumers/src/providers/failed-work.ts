/** What becomes of a job whose provider, database or own code failed. */
import { isDatabaseError, isRefusedRow } from "@plateau/prisma";
import { dead, type Outcome, pause, retry } from "queue-core";
import { ProviderRefused, ProviderUnavailable, pauseFor } from "./provider-errors.ts";

/** What is down lets the kind rest; what is refused is tried again a few times, or never; our own faults too. */
export function outcomeOfFailure(error: unknown): Outcome {
  if (error instanceof ProviderUnavailable) return pauseFor(error);
  if (error instanceof ProviderRefused) return dead(error.message);
  if (isDatabaseError(error) && !isRefusedRow(error)) return pause();
  return retry({ error });
}
