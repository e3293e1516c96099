/** What this process takes, after garbage collection. Needs a process started by own-process.ts. */

const mebibyte = 1024 * 1024;

export interface Memory {
  /** Objects and buffers, MiB. */
  readonly usedMiB: number;
  /** What the system has given to the process, MiB; pages freed but not given back included. */
  readonly residentMiB: number;
}

export function memoryNow(): Memory {
  if (gc === undefined) throw new Error("memory is measured in a process of its own");
  gc();
  gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { usedMiB: (heapUsed + external) / mebibyte, residentMiB: rss / mebibyte };
}

/** The larger of both growths: objects that the collector moved, and pages that it did not give back. */
export function growthMiB(before: Memory, after: Memory): number {
  return Math.max(after.usedMiB - before.usedMiB, after.residentMiB - before.residentMiB);
}
