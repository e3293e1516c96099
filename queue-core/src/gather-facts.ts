/**
 * Outside facts for a whole batch, gathered within a budget of time.
 *
 * What can go wrong: the source hangs, fails or throws at once. Promise: this resolves within the budget whatever
 * the source does, with the facts or with undefined, and a source that is too late is told so by its signal.
 */
import type { Message, ProcessOptions } from "./queue.ts";
import type { Timers } from "./timers.ts";

/** Undefined where there is no `prepare`, where it failed, where it was late, and where `stopped` was aborted. */
export async function gatherFacts<T, Facts>(
  prepare: ProcessOptions<T, Facts>["prepare"],
  batch: readonly Message<T>[],
  stopped: AbortSignal,
  timers: Timers,
): Promise<Facts | undefined> {
  if (prepare === undefined) return undefined;
  const budget = new AbortController();
  let giveUp = (): void => undefined;
  const late = new Promise<undefined>((resolve) => {
    giveUp = () => {
      budget.abort();
      resolve(undefined);
    };
  });
  const cancel = timers.after(prepare.budgetMs, giveUp);
  stopped.addEventListener("abort", giveUp, { once: true });
  try {
    // Facts that failed are facts that are not there; the decision records it. A late rejection is heard here too.
    const gathered = Promise.resolve(prepare.gather(batch, budget.signal)).catch(() => undefined);
    return await Promise.race([gathered, late]);
  } catch {
    return undefined;
  } finally {
    cancel();
    stopped.removeEventListener("abort", giveUp);
  }
}
