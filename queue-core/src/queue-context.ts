/**
 * What every mechanism above the engine shares: the engine, time, chance, signals, and where to tell of a fault
 * that no caller is there to hear.
 *
 * What can go wrong: a background loop that swallows its errors hides a broken system; one that throws them ends
 * the process. Both kinds end in `report`, which never throws: a reporter that is broken itself, at once or later, ends
 * in a process warning. An error can be anything at all; `describe` has a text for each. A closed or failed engine is no news to anybody (`failed` told it).
 */
import type { DelayedHere } from "./delay.ts";
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
  /** Told of each delayed message that this process stored. */
  readonly delayed: DelayedHere;
  readonly leaseMs: number;
  /** Tells this instance apart from all others, also from earlier ones in the same place. */
  readonly instance: string;
  /** What people call the process, for those who look at groups. */
  readonly process: string;
  /** Undefined where none are given, so that they cost nothing there. */
  readonly interceptors: InterceptorChain | undefined;
  /** A fault met by a background loop, which goes on. */
  report(where: string, error: unknown): void;
}

/** Where nobody else wants to hear of a fault. */
function warn(where: string, error: unknown): void {
  process.emitWarning(`${where}: ${describe(error)}`, { type: "QueueCoreWarning" });
}

/** `report` as an application gave it, or the default; what it throws ends no loop. */
export function guardedReport(report: QueueContext["report"] = warn): QueueContext["report"] {
  return (where, error) => {
    const isBroken = (fault: unknown) => warn(`reporting "${where}: ${describe(error)}" failed`, fault);
    try {
      hearRejection(report(where, error), isBroken);
    } catch (fault) {
      isBroken(fault);
    }
  };
}

/** Callbacks that return nothing by their type may be asynchronous all the same. True where this one was. */
export function hearRejection(returned: unknown, hear: (error: unknown) => void): boolean {
  if (typeof returned !== "object" || returned === null) return false;
  const { then } = returned as Partial<PromiseLike<unknown>>;
  if (typeof then !== "function") return false;
  then.call(returned, undefined, hear);
  return true;
}

/** The engine takes nothing any more; loops end without a word. */
export function isEngineEnd(error: unknown): boolean {
  return error instanceof QueueError && ["CLOSED", "STORAGE_FAILED", "DATA_LOST"].includes(error.code);
}

export function hasCode(error: unknown, code: QueueError["code"]): boolean {
  return error instanceof QueueError && error.code === code;
}

const longestDescription = 1_000;

/** One bounded line for histories and reports, whatever was thrown. */
export function describe(error: unknown): string {
  try {
    return text(error).slice(0, longestDescription);
  } catch {
    return "an error that has no text";
  }
}

function text(error: unknown): string {
  if (typeof error === "string") return error;
  if (error instanceof Error) {
    if (error.message === "") return String(error.name);
    return typeof error.message === "string" ? error.message : text(error.message);
  }
  try {
    return JSON.stringify(error) ?? String(error);
  } catch {
    return String(error);
  }
}
