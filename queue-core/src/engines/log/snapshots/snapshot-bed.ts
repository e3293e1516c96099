/** A log with small segments that tells of its snapshots, and what tests of them do with it. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "../../../engine.ts";
import { openLog, segmentPaths } from "../log-bed.ts";
import type { LogEngineOptions } from "../open-log-engine.ts";
import type { LogReport } from "./log-keeper.ts";
import { snapshotHeaderBytes } from "./snapshot-layout.ts";

export interface WatchedLog {
  readonly engine: Engine;
  readonly reports: LogReport[];
  /** The next report of that kind, or one that came since the last call. */
  next<Kind extends LogReport["kind"]>(kind: Kind): Promise<LogReport & { readonly kind: Kind }>;
}

/** Segments of a few commits; a snapshot after each of them. */
export const smallSegments = { segmentBytes: 700, snapshotBytes: 1 } as const;

export async function openWatched(
  directory: string,
  options: Omit<LogEngineOptions, "directory" | "report"> = {},
): Promise<WatchedLog> {
  const reports: LogReport[] = [];
  let seen = 0;
  let wake = () => {};
  const report = (told: LogReport) => {
    reports.push(told);
    wake();
  };
  const engine = await openLog(directory, { ...smallSegments, ...options, report });
  return {
    engine,
    reports,
    async next(kind) {
      for (;;) {
        for (; seen < reports.length; seen++) {
          const found = reports[seen] as LogReport;
          if (found.kind !== kind) continue;
          seen++;
          return found as LogReport & { readonly kind: typeof kind };
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

/** Commits until another segment was begun. */
export async function fillSegment(engine: Engine, directory: string, text = "filler", partition = 3): Promise<void> {
  const before = segmentPaths(directory).at(-1);
  while (segmentPaths(directory).at(-1) === before) {
    await engine.commit({ append: [{ topic: "t", partition, key: "k", value: Buffer.from(text) }] });
  }
}

export function snapshotPaths(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.includes(".snapshot"))
    .sort()
    .map((name) => join(directory, name));
}

/** Byte positions of the snapshot's blocks. */
export function blocksOf(path: string): number[] {
  const bytes = readFileSync(path);
  const found: number[] = [];
  for (let at = snapshotHeaderBytes; at < bytes.length; at += bytes.readUInt32LE(at)) found.push(at);
  return found;
}
