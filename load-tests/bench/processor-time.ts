/**
 * Processor time of processes and everything below them, as Linux counts it (`/proc/<pid>/stat`): PostgreSQL's backends
 * and a Redis behind its guard are children of children.
 *
 * What can go wrong: a process ends between two readings and takes its time with it; a process that comes in between
 * counts from its own start. Both err by little where processes stay. Ticks are 10 ms: read over seconds.
 */
import { readdirSync, readFileSync } from "node:fs";

const tickMs = 10;

interface Reading {
  readonly parent: number;
  readonly busyMs: number;
}

export const canReadProcessorTime = process.platform === "linux";

/** User and system time so far in ms, of each of these with all below it, but for those that are asked for themselves. */
export function processorTimesMs(pids: readonly number[]): readonly number[] {
  const readings = new Map<number, Reading>();
  for (const name of readdirSync("/proc")) {
    const reading = /^\d+$/.test(name) ? read(name) : undefined;
    if (reading !== undefined) readings.set(Number(name), reading);
  }
  const sums = new Map(pids.map((pid) => [pid, 0]));
  for (const [pid, { busyMs }] of readings) {
    const root = rootOf(pid, readings, sums);
    if (root !== undefined) sums.set(root, (sums.get(root) ?? 0) + busyMs);
  }
  return pids.map((pid) => sums.get(pid) ?? 0);
}

function rootOf(
  pid: number,
  readings: ReadonlyMap<number, Reading>,
  roots: ReadonlyMap<number, number>,
): number | undefined {
  for (let at: number | undefined = pid; at !== undefined && at > 0; at = readings.get(at)?.parent) {
    if (roots.has(at)) return at;
  }
  return undefined;
}

function read(pid: string): Reading | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name may hold blanks and brackets; everything behind its last bracket is numbers.
    const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
    return { parent: Number(fields[1]), busyMs: (Number(fields[11]) + Number(fields[12])) * tickMs };
  } catch {
    return undefined;
  }
}
