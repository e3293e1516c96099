/**
 * One run of the log engine alone, under clients that use every part of its port, and a disk that fails often.
 *
 * It is for the storage what simulate-sale.ts is for the queue above: ten times as many troubles in a tenth of the
 * time, and one oracle, commit-history.ts.
 */
import { Machine } from "../machine.ts";
import { MachineTroubles, usualWeights } from "../machine-troubles.ts";
import { Random } from "../random.ts";
import type { RunOptions, RunResult } from "../run.ts";
import { Troubles } from "../troubles.ts";
import { World } from "../world.ts";
import { LogClient, logTopics } from "./log-clients.ts";

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
  let clients: LogClient[] = [];
  let isStopped = false;
  const machine: Machine = new Machine({
    world,
    log,
    writeBackChance: options.writeBackChance ?? settings.pick([0, 0.1, 0.7]),
    ...(options.wrapDisk === undefined ? {} : { wrapDisk: options.wrapDisk }),
    onUp(incarnation) {
      if (isStopped) {
        world.stop();
        return;
      }
      const starting = Array.from({ length: 3 }, async (_, index) => {
        const process = incarnation.process(`client${index}`);
        const client = new LogClient(world, machine.history, process);
        clients.push(client);
        await process.engine.declareTopics(logTopics);
        await client.run();
      });
      for (const client of starting) client.catch((error: unknown) => failUnlessFull(world, error));
    },
  });
  const machineTroubles = new MachineTroubles(world, machine);
  const weights = { ...usualWeights, ...options.weights };
  const everyMs = options.troubleEveryMs ?? 120;
  const troubles = new Troubles(world, { troubles: machineTroubles.withWeights(weights), everyMs, activeMs });
  world.note("settings", JSON.stringify(log));
  machine.boot();
  troubles.start();
  world.after(activeMs, "healing", () => {
    machineTroubles.heal();
    const end = (): void => {
      if (!machine.isUp) {
        world.after(20, "not up yet", end);
        return;
      }
      for (const client of clients) client.stop();
      clients = [];
      isStopped = true;
      machine.shutDown().then(
        () => machine.turnOn(),
        (error: unknown) => world.fail("everything stops in order", String(error)),
      );
    };
    world.after(200, "the end", end);
  });
  await world.run();
  const { history, starts, deaths, reports } = machine;
  if (!world.hasStopped) world.fail("a run comes to its end", "nothing is left that would happen");
  if (world.violation === undefined && (history.acknowledged === 0 || troubles.counts.size === 0))
    world.fail("a run is not vacuous", `${history.acknowledged} commits, ${troubles.counts.size} troubles`);
  return {
    seed: options.seed,
    violation: world.violation,
    hash: world.trace.hash,
    lines: world.trace.lines,
    counts: { commits: history.acknowledged, starts, deaths, snapshots: reports.get("snapshot taken") ?? 0 },
  };
}

/** A client that cannot even declare its topics ends; on a full or failed log that is no news. */
function failUnlessFull(world: World, error: unknown): void {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code.startsWith("STORAGE") || code === "CLOSED") return;
  world.fail("clients end well", error instanceof Error ? String(error.stack) : String(error));
}
