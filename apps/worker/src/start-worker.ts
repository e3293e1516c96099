/**
 * A worker: members of the risk and the stock stage in one process.
 *
 * What can go wrong: one member fails to start after others did; those are stopped again, so that no half worker
 * stays behind.
 */
import type { Knobs } from "@plateau/domain";
import type { Logger } from "pino";
import type { GroupMember, Queue } from "queue-core";
import { startRiskStage } from "./risk.ts";
import type { RiskScorer } from "./risk-scorer.ts";
import { startStockStage } from "./stock.ts";

export interface WorkerOptions {
  readonly queue: Queue;
  readonly scorer: RiskScorer;
  readonly knobs: () => Knobs;
  /**
   * Members per stage, default 1. Risk scales with them up to its 8 partitions; stock only over several sales, for
   * one sale is decided by one member.
   */
  readonly members?: number;
  readonly log: Pick<Logger, "warn">;
}

export interface Worker {
  readonly members: readonly GroupMember[];
  /** Hands the partitions over; what is not decided yet, the next owner decides. */
  stop(): Promise<void>;
}

/** A batch that waits out its decision cost is given up when stopping: it is not lost, only not decided here. */
const graceMs = 1_000;

export async function startWorker({ queue, scorer, knobs, members = 1, log }: WorkerOptions): Promise<Worker> {
  if (!Number.isSafeInteger(members) || members < 1)
    throw new RangeError(`members is ${members}; at least 1 is needed`);
  const started: GroupMember[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((member) => member.stop({ graceMs })));
  };
  try {
    for (let index = 0; index < members; index++) {
      started.push(await startRiskStage({ queue, scorer, knobs, log }));
      started.push(await startStockStage({ queue }));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { members: started, stop };
}
