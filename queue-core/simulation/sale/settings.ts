/**
 * What a run is like, drawn from its seed: small numbers everywhere, so that segments roll, windows fill, leases run
 * out and snapshots are taken many times in a few seconds of virtual time.
 */
import { drawSizes, type LogSizes } from "../log/simulate-log.ts";
import type { Random } from "../random.ts";

export interface SaleSettings {
  /** How long clients come and faults strike, virtual ms. */
  readonly activeMs: number;
  readonly purchases: number;
  readonly notes: number;
  readonly processes: number;
  readonly leaseMs: number;
  readonly payWithinMs: number;
  readonly sales: readonly string[];
  readonly users: number;
  readonly keys: number;
  readonly maxBatch: number;
  readonly concurrency: number;
  readonly maxAttempts: number;
  readonly checkAfterMs: number;
  readonly maxChecks: number;
  readonly backlogMessages: number;
  readonly writeBackChance: number;
  readonly log: LogSizes;
}

export function drawSettings(random: Random): SaleSettings {
  return {
    activeMs: random.between(2_500, 6_500),
    purchases: random.integer(15, 40),
    notes: random.integer(15, 40),
    processes: random.integer(1, 3),
    leaseMs: random.pick([200, 500, 1_000]),
    payWithinMs: random.integer(300, 3_000),
    sales: [`a-${random.integer(1, 8)}`, `b-${random.integer(1, 30)}`],
    users: random.integer(4, 20),
    keys: random.integer(1, 6),
    maxBatch: random.pick([1, 1, 3, 16]),
    concurrency: random.pick([1, 1, 2, 4]),
    maxAttempts: random.integer(1, 5),
    checkAfterMs: random.pick([150, 400, 900]),
    maxChecks: random.pick([2, 15]),
    backlogMessages: random.pick([20, 1_000]),
    writeBackChance: random.pick([0, 0.1, 0.7]),
    log: drawSizes(random),
  };
}
