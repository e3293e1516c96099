/**
 * A gateway's link to the engine, which breaks: what it publishes is lost, stored without an answer, or stored late.
 *
 *     commit ──┬── lost ───────────────────────────► never stored   ┐
 *              ├── stored now, the answer lost ────► stored         ├── the gateway is told: outcome unknown
 *              └── held up on the way ─────────────► stored late    ┘
 *
 * What can go wrong: a publish that is stored after the `resolve` for it, or beyond a retry of it. Only publishes
 * are struck; a late one reaches an engine that lives, or none.
 */
import { QueueError } from "queue-core";
import { passedOn, type Random, type SimulatedProcess } from "queue-core/simulation";

type Engine = SimulatedProcess["engine"];
type Commit = Parameters<Engine["commit"]>[0];

export interface LinkFaults {
  readonly random: Random;
  /** Asked for each publish. */
  breaks(): boolean;
  /** A publish that was held up is stored at most this much later, ms. */
  readonly longestDelayMs: number;
}

export function lossyLink({ engine, timers }: SimulatedProcess, faults: LinkFaults): Engine {
  const { random } = faults;
  const commit = (asked: Commit) => {
    if (asked.append === undefined || !faults.breaks()) return engine.commit(asked);
    const kind = random.pick(["lost", "stored", "late"] as const);
    if (kind === "stored") engine.commit(asked).catch(ignore);
    if (kind === "late")
      timers.after(random.between(0, faults.longestDelayMs), () => engine.commit(asked).catch(ignore));
    return timers.sleep(random.between(0.5, 50)).then((): never => {
      throw new QueueError("CLOSED", "the link to the engine broke", { outcome: "unknown" });
    });
  };
  return passedOn(engine, { commit });
}

const ignore = (): void => undefined;
