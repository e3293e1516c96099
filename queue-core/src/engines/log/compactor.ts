/**
 * Where snapshots are made and old files removed: a thread of its own, or, on a given disk, this thread in slices.
 *
 * What can go wrong: the work takes seconds and reads and writes as much as the state is large; the thread may die.
 * Promises: exactly one outcome for each job; a thread that died is a failed job, and the next job gets a new one;
 * the thread keeps no process alive and is gone after `rest` and `close`, with all its memory.
 */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Later } from "./batch-writer.ts";
import type { Disk } from "./disk.ts";
import { type MergeRequest, mergeSnapshot } from "./snapshot-merge.ts";

export type CompactorJob =
  | { readonly kind: "merge"; readonly request: MergeRequest }
  | { readonly kind: "remove"; readonly directory: string; readonly fileNames: readonly string[] };

/** `bytes`: size of the snapshot made. */
export type CompactorOutcome =
  | { readonly kind: "done"; readonly bytes: number }
  | { readonly kind: "failed"; readonly reason: string };

export interface Compactor {
  /** One at a time. Never rejects. */
  run(job: CompactorJob): Promise<CompactorOutcome>;
  /** There is nothing to do for now. */
  rest(): Promise<void>;
  /** A job under way is given up; what it left unfinished, the next start removes. */
  close(): Promise<void>;
}

/** Does the job in this thread. */
export async function runJob(disk: Disk, job: CompactorJob, breathe: () => Promise<void>): Promise<CompactorOutcome> {
  try {
    if (job.kind === "merge") return { kind: "done", bytes: await mergeSnapshot(disk, job.request, breathe) };
    for (const name of job.fileNames) {
      await breathe();
      disk.remove(join(job.directory, name));
    }
    return { kind: "done", bytes: 0 };
  } catch (error) {
    return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
}

export function createThreadCompactor(): Compactor {
  let thread: Worker | undefined;
  let settle: ((outcome: CompactorOutcome) => void) | undefined;
  const finish = (outcome: CompactorOutcome) => {
    settle?.(outcome);
    settle = undefined;
  };
  const start = () => {
    const started = new Worker(new URL("./compactor-thread.ts", import.meta.url), {
      name: "queue-log-compactor",
      execArgv: [],
    });
    started.unref();
    started.on("message", (outcome: CompactorOutcome) => finish(outcome));
    started.on("error", (error) => finish({ kind: "failed", reason: `the compactor thread died: ${error.message}` }));
    started.on("exit", (code) => {
      if (thread === started) thread = undefined;
      finish({ kind: "failed", reason: `the compactor thread ended with code ${code}` });
    });
    return started;
  };
  const end = async () => {
    const ending = thread;
    thread = undefined;
    await ending?.terminate();
  };
  return {
    run(job) {
      thread ??= start();
      thread.postMessage(job);
      return new Promise((resolve) => {
        settle = resolve;
      });
    },
    rest: end,
    close: end,
  };
}

export function createInlineCompactor(disk: Disk, later: Later): Compactor {
  let closed = false;
  const breathe = async () => {
    await new Promise<void>((resolve) => later(resolve));
    if (closed) throw new Error("the log was closed");
  };
  return {
    run: (job) => runJob(disk, job, breathe),
    async rest() {},
    async close() {
      closed = true;
    },
  };
}
