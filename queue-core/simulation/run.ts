/** What every simulation takes and gives. */
import type { Disk } from "../src/engines/log/writing/disk.ts";
import type { MachineWeights } from "./machine-troubles.ts";
import type { Violation } from "./world.ts";

export interface RunOptions {
  readonly seed: string;
  readonly trace?: "hash" | "lines";
  /** Takes a guard away, to show that it is missed. */
  readonly wrapDisk?: (disk: Disk) => Disk;
  readonly weights?: Partial<MachineWeights>;
  /** Mean virtual ms between two troubles. */
  readonly troubleEveryMs?: number;
}

export interface RunResult {
  readonly seed: string;
  readonly violation: Violation | undefined;
  /** Equal for equal seeds. */
  readonly hash: string;
  /** What happened, where the trace was asked for in lines. */
  readonly lines: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}
