/**
 * What every mechanism above the engine shares: the engine, time, chance, signals, and where to tell of a fault
 * that no caller is there to hear.
 *
 * What can go wrong: a background loop that swallows its errors hides a broken system; one that throws them ends
 * the process. Both kinds end in `report`. A closed or failed engine is no news to anybody (`failed` told it).
 */
import type { Engine } from "./engine.ts";
import { QueueError } from "./errors.ts";
import type { InterceptorChain } from "./interceptors.ts";
import type { AppendSignals, Signals } from "./signals.ts";
import type { Timers } from "./timers.ts";

export interface QueueContext {
  readonly engine: Engine;
  readonly timers: Timers;
  /** In [0, 1). */
  readonly random: () => number;
  readonly appends: AppendSignals;
  /** Raised with the membership name when a member of this process joined, left or released a partition. */
  readonly groupChanges: Signals;
  /** Counts the commits of this process that moved an offset: what was measured before one is stale. */
  readonly advances: { count: number };
  readonly leaseMs: number;
  /** Tells this instance apart from all others, also from earlier ones in the same place. */
  readonly instance: string;
  /** Undefined where none are given, so that they cost nothing there. */
  readonly interceptors: InterceptorChain | undefined;
  /** A fault met by a background loop, which goes on. */
  report(where: string, error: unknown): void;
}

/** Where nobody else wants to hear of a fault. */
export function warn(where: string, error: unknown): void {
  process.emitWarning(`${where}: ${describe(error)}`, { type: "QueueCoreWarning" });
}

/** The engine takes nothing any more; loops end without a word. */
export function isEngineEnd(error: unknown): boolean {
  return error instanceof QueueError && ["CLOSED", "STORAGE_FAILED", "DATA_LOST"].includes(error.code);
}

export function hasCode(error: unknown, code: QueueError["code"]): boolean {
  return error instanceof QueueError && error.code === code;
}

const longestDescription = 1_000;

/** One bounded line for histories and reports. */
export function describe(error: unknown): string {
  return text(error).slice(0, longestDescription);
}

function text(error: unknown): string {
  if (error instanceof Error) return error.message === "" ? error.name : error.message;
  if (typeof error === "string") return error;
  try {
    return JSON.stringify(error) ?? String(error);
  } catch {
    return String(error);
  }
}
