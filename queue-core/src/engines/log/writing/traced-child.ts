/**
 * For tests on Linux: runs appending-child.ts under strace, which makes real system calls fail or wait, and tells
 * in what order syncs returned and commits were acknowledged.
 *
 * strace counts the calls of each thread apart: `when=9` is the ninth of the main thread and the ninth of the thread
 * that writes the log, whose first one is that of a segment's header.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { BatchHeader } from "../format/layout.ts";
import { type ChildOptions, startChild } from "../recovery/child-run.ts";
import { readSegmentHeader, segmentParts } from "../recovery/segment-scan.ts";

const strace = process.env.STRACE_PATH ?? "strace";

/** Why nothing can be traced here; undefined where it can. */
export function whyNoTrace(): string | undefined {
  if (process.platform !== "linux") return "strace runs on Linux alone";
  const run = spawnSync(strace, ["-o", "/dev/null", "-e", "trace=none", "true"], { encoding: "utf8" });
  return run.status === 0 ? undefined : `strace does not run: ${run.error?.message ?? run.stderr.trim()}`;
}

/** @param injection as strace's `-e inject=fdatasync:` takes it. */
export function startTraced(options: ChildOptions, injection: string, tracePath: string) {
  const under = [
    // The child stays this process's own child, and can be killed.
    ...[strace, "-D", "-f", "-y", "-q", "--seccomp-bpf", "-s", "32", "-o", tracePath],
    ...["-e", "trace=fdatasync,write", "-e", "signal=SIGKILL", "-e", `inject=fdatasync:${injection}`],
  ];
  return startChild({ ...options, under });
}

export type TraceEvent = { readonly kind: "synced" } | { readonly kind: "told"; readonly sequence: number };

/** Batches synced and commits acknowledged, in their order, once the child's end is in the trace too. */
export async function readTrace(tracePath: string, pid: number): Promise<readonly TraceEvent[]> {
  const text = () => readFileSync(tracePath, "utf8");
  await expect.poll(text, { timeout: 30_000 }).toMatch(new RegExp(`^${pid} +\\+\\+\\+ (exited|killed)`, "m"));
  const events: TraceEvent[] = [];
  /** The file that each thread is syncing. */
  const syncing = new Map<string, string>();
  for (const line of text().split("\n")) {
    const [, thread = "", call = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const begun = /^fdatasync\(\d+<([^>]*)>/.exec(call)?.[1];
    if (begun !== undefined) syncing.set(thread, begun);
    const isSynced = /^(fdatasync|<\.\.\. fdatasync resumed>).*\) += 0/.test(call);
    if (isSynced && syncing.get(thread)?.endsWith(".segment") === true) events.push({ kind: "synced" });
    const told = /^write\(1<[^>]*>, "stored (\d+) /.exec(call)?.[1];
    if (told !== undefined) events.push({ kind: "told", sequence: Number(told) });
  }
  return events;
}

/** Headers of all batches that are in the log's files. */
export function batchesOf(directory: string): BatchHeader[] {
  const names = readdirSync(directory).filter((name) => name.endsWith(".segment"));
  return names.sort().flatMap((name) => {
    const bytes = readFileSync(join(directory, name));
    const parts = [...segmentParts(bytes, readSegmentHeader(bytes, name).logId)];
    return parts.flatMap((part) => (part.kind === "batch" ? [part.header] : []));
  });
}
