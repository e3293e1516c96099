/**
 * Workers: members of the risk and the stock stage in one process.
 *
 * What can go wrong: the stock member of a worker fails to start after its risk member did; that one is stopped again,
 * so that no half worker stays behind.
 */
import { type FaultStore, type Knobs, queueUnderFaults, randomToken } from "@plateau/domain";
import type { Logger } from "pino";
import type { GroupMember, Queue } from "queue-core";
import { Crew } from "./crew.ts";
import { startRiskStage } from "./risk.ts";
import type { RiskScorer } from "./risk-scorer.ts";
import { startStockStage } from "./stock.ts";

export interface WorkerOptions {
  readonly queue: Queue;
  readonly scorer: RiskScorer;
  readonly knobs: () => Knobs;
  /**
   * Members per stage, default 1; or `by knob`: as many as the setting says at each moment. Risk scales with them up to
   * its 8 partitions; stock only over several sales, for one sale is decided by one member.
   */
  readonly members?: number | "by knob";
  /** Without it none acts here. */
  readonly faults?: FaultStore;
  readonly log: Pick<Logger, "warn">;
}

export interface Worker {
  /** Those that work now. */
  readonly members: readonly GroupMember[];
  /** Hands the partitions over; what is not decided yet, the next owner decides. */
  stop(): Promise<void>;
}

export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { queue, scorer, knobs, members = 1, faults, log } = options;
  if (members !== "by knob" && (!Number.isSafeInteger(members) || members < 1))
    throw new RangeError(`members is ${members}; at least 1 is needed`);
  const read = faults === undefined ? queue : queueUnderFaults(queue, faults);
  const crew = new Crew({
    name: `worker-${randomToken().slice(0, 6)}`,
    wanted: () => (members === "by knob" ? knobs().workers : members),
    ...(faults === undefined ? {} : { faults }),
    log,
    async hire(member) {
      const risk = await startRiskStage({ queue: read, scorer, knobs, log, member });
      try {
        return [risk, await startStockStage({ queue: read, knobs, member })];
      } catch (error) {
        await risk.stop();
        throw error;
      }
    },
  });
  await crew.start();
  return {
    get members() {
      return crew.members;
    },
    stop: () => crew.stop(),
  };
}
