/**
 * One run of the log engine alone, under clients that use every part of its port, and a disk that fails often.
 *
 * It is for the storage what simulate-sale.ts is for the queue above: ten times as many troubles in a tenth of the
 * time, and one oracle, commit-history.ts.
 */
import type { Engine } from "../../src/engine.ts";
import { Machine } from "../machine.ts";
import { MachineTroubles, usualWeights } from "../machine-troubles.ts";
import { Random } from "../random.ts";
import type { RunOptions, RunResult } from "../run.ts";
import { runToTheEnd } from "../run-to-the-end.ts";
import { Troubles } from "../troubles.ts";
import { World } from "../world.ts";
import { LogClient } from "./log-clients.ts";

export interface LogSizes {
  readonly segmentBytes: number;
  readonly memoryBytes: number;
  readonly reserveBytes: number;
  readonly snapshotBytes: number;
  readonly retention: { readonly ms: number; readonly bytes: number };
}

export interface LogOptions extends RunOptions {
  readonly sizes?: Partial<LogSizes>;
  readonly writeBackChance?: number;
  /** Plants a bug between the clients and the log. */
  readonly wrapEngine?: (engine: Engine) => Engine;
}

/** Small ones, so that segments roll, snapshots are taken and the reserve is needed many times in a second. */
export function drawSizes(random: Random): LogSizes {
  return {
    segmentBytes: random.pick([300, 1_500, 6_000, 40_000]),
    memoryBytes: random.pick([500, 5_000, 200_000]),
    reserveBytes: random.pick([2_000, 6_000, 16_000]),
    snapshotBytes: random.pick([500, 5_000, 30_000]),
    retention: random.pick([
      { ms: 500, bytes: 1e9 },
      { ms: 1e9, bytes: 5_000 },
      { ms: 1e9, bytes: 1e9 },
    ]),
  };
}

export async function simulateLog(options: LogOptions): Promise<RunResult> {
  const world = new World(new Random(`${options.seed}/log`), options.trace);
  const settings = world.random.fork("settings");
  const log = { ...drawSizes(settings), ...options.sizes };
  const activeMs = settings.between(500, 3_000);
  const clients: LogClient[] = [];
  const publishes = () => clients.reduce((sum, client) => sum + client.publishes, 0);
  let publishesWhenHealed = 0;
  const machine: Machine = new Machine({
    world,
    log,
    writeBackChance: options.writeBackChance ?? settings.pick([0, 0.1, 0.7]),
    ...(options.wrapDisk === undefined ? {} : { wrapDisk: options.wrapDisk }),
    ...(options.wrapEngine === undefined ? {} : { wrapEngine: options.wrapEngine }),
    onUp(incarnation) {
      for (let index = 0; index < 3; index++) {
        const client = new LogClient(world, machine.history, incarnation.process(`client${index}`));
        clients.push(client);
        client.run().catch((error: unknown) => world.fail("clients end well", textOf(error)));
      }
    },
  });
  const machineTroubles = new MachineTroubles(world, machine);
  const troubles = new Troubles(world, {
    troubles: machineTroubles.withWeights({ ...usualWeights, ...options.weights }),
    everyMs: options.troubleEveryMs ?? 120,
    activeMs,
  });
  world.note("settings", JSON.stringify(log));
  return runToTheEnd({
    seed: options.seed,
    world,
    machine,
    machineTroubles,
    troubles,
    activeMs,
    heal() {
      publishesWhenHealed = publishes();
    },
    // Clients have no work to finish. But a log that was full, slow or down has to serve them again.
    whatIsLeft: async () => (publishes() > publishesWhenHealed ? undefined : "nobody could publish"),
    async stop() {
      for (const client of clients) client.stop();
      return [];
    },
    audit: () => ({ isVacuous: false }),
    counts: () => ({}),
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? String(error.stack) : String(error);
}
