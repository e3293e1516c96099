/**
 * What this process takes, after garbage collection. Needs a process started by own-process.ts.
 *
 * What can go wrong: the heap's pages and an ended thread's memory go back to the system seconds later; measured at
 * once, they would be taken for what is kept. So a measure waits until they have gone.
 */
import { setTimeout as sleep } from "node:timers/promises";

const megabyte = 1_000_000;

export interface Memory {
  /** Objects and buffers, MB. */
  readonly usedMB: number;
  /** What the system has given to the process, MB; pages freed but not given back included. */
  readonly residentMB: number;
}

const longestRestS = 20;
const steadyS = 4;

/** Once no page was given back for some seconds. */
export async function memoryAtRest(): Promise<Memory> {
  let least = memoryNow();
  for (let second = 0, sinceS = 0; second < longestRestS && sinceS < steadyS; second++, sinceS++) {
    await sleep(1_000);
    const now = memoryNow();
    if (now.residentMB < least.residentMB - 1) {
      least = now;
      sinceS = 0;
    }
  }
  return least;
}

function memoryNow(): Memory {
  if (gc === undefined) throw new Error("memory is measured in a process of its own");
  gc();
  gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { usedMB: (heapUsed + external) / megabyte, residentMB: rss / megabyte };
}

/** The larger of both growths: objects that the collector moved, and pages that it did not give back. */
export function growthMB(before: Memory, after: Memory): number {
  return Math.max(after.usedMB - before.usedMB, after.residentMB - before.residentMB);
}
