/**
 * A worker of the simulation: the real risk and stock stages over one process's view of the log.
 *
 * What can go wrong: a crash that never meets a decision shows nothing. Each commit of the stock stage that ends a
 * purchase or a reservation is therefore shown to `deciding` before it is made, so that trouble can strike in its
 * middle, and so that a decision that was made and never stored is known of.
 */
import { allTopics, defaultKnobs, groups, type PurchaseResult, stockCommands } from "@plateau/domain";
import { type GroupMember, openQueue, type Queue, QueueError } from "queue-core";
import { passedOn, type SimulatedProcess, type World } from "queue-core/simulation";
import { startRiskStage } from "../risk.ts";
import { startStockStage } from "../stock.ts";

/** Joins the stock stage; another than the real one shows that a fault there is seen. */
export type StageMember = (queue: Queue, member: string) => Promise<GroupMember>;

export interface WorkerParts {
  readonly world: World;
  readonly leaseMs: number;
  readonly stock: StageMember | undefined;
  /** Of its members; no two have the same. */
  readonly name: string;
  /** Results that the stock stage is about to store, while nothing of them is stored. */
  deciding(results: readonly PurchaseResult[]): void;
}

export async function openSimulatedQueue(
  world: World,
  process: SimulatedProcess,
  leaseMs: number,
  engine = process.engine,
): Promise<Queue> {
  return openQueue({
    engine,
    topics: allTopics,
    leaseMs,
    timers: process.timers,
    random: process.random.next,
    onBackgroundError: (where, error) => {
      world.note("reported", `${where}: ${String(error)}`);
      if (typeof error === "string" || error instanceof QueueError || (error as { code?: unknown }).code === "EIO")
        return;
      world.fail("background loops meet only the faults that were injected", `${where}: ${String(error)}`);
    },
  });
}

/** Resolves once both stages have a member here. */
export async function openWorker(parts: WorkerParts, process: SimulatedProcess): Promise<readonly GroupMember[]> {
  const engine = shown(process.engine, parts.deciding);
  const queue = await openSimulatedQueue(parts.world, process, parts.leaseMs, engine);
  const risk = await startRiskStage({
    queue,
    scorer: { score: async () => new Map() },
    knobs: () => defaultKnobs,
    log: { warn: () => undefined },
    member: `${parts.name}-risk`,
  });
  const member = `${parts.name}-stock`;
  const stock = parts.stock === undefined ? startStockStage({ queue, member }) : parts.stock(queue, member);
  return [risk, await stock];
}

const stockState = `${groups.stock}/${stockCommands.name}/`;

type Engine = SimulatedProcess["engine"];

function shown(engine: Engine, deciding: WorkerParts["deciding"]): Engine {
  const commit: Engine["commit"] = (asked) => {
    const results: PurchaseResult[] = [];
    for (const { namespace, key, value } of asked.put ?? []) {
      if (value === null || !namespace.startsWith(stockState) || !key.startsWith("result:")) continue;
      results.push(JSON.parse(value.toString("utf8")) as PurchaseResult);
    }
    if (results.length > 0) deciding(results);
    return engine.commit(asked);
  };
  return passedOn(engine, { commit });
}
