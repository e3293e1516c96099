/**
 * Where snapshots are made and old files removed: a thread of its own, or, on a given disk, this thread in slices.
 *
 * What can go wrong: the work takes seconds and reads and writes as much as the state is large; the thread may die.
 * Promises: exactly one outcome for each job; a thread that died is a failed job, and the next job gets a new one;
 * the thread keeps no process alive, and is gone after `close` or a rest of 10 s, with all its memory.
 */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Later } from "../writing/batch-writer.ts";
import type { Disk } from "../writing/disk.ts";
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
  rest(): void;
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

/** A start costs 0.2 s of a core: a log that fills a segment every second keeps its thread. */
const longestRestMs = 10_000;

interface CompactorThread {
  readonly worker: Worker;
  /** Of the job under way: a thread that ends late must not end the job of the next one. */
  settle: ((outcome: CompactorOutcome) => void) | undefined;
}

export function createThreadCompactor(): Compactor {
  let current: CompactorThread | undefined;
  let ending: NodeJS.Timeout | undefined;
  const end = async () => {
    clearTimeout(ending);
    const ended = current;
    current = undefined;
    await ended?.worker.terminate();
  };
  return {
    run(job) {
      clearTimeout(ending);
      const thread =
        current ??
        startThread((ended) => {
          if (current === ended) current = undefined;
        });
      current = thread;
      thread.worker.postMessage(job);
      return new Promise((resolve) => {
        thread.settle = resolve;
      });
    },
    rest() {
      clearTimeout(ending);
      ending = setTimeout(() => void end(), longestRestMs).unref();
    },
    close: end,
  };
}

function startThread(onEnd: (thread: CompactorThread) => void): CompactorThread {
  const worker = new Worker(new URL("./compactor-thread.ts", import.meta.url), {
    name: "queue-log-compactor",
    execArgv: [],
    // What it reads is garbage at once; without a limit 100 MB of it would wait for the collector.
    resourceLimits: { maxYoungGenerationSizeMb: 16 },
  });
  worker.unref();
  const thread: CompactorThread = { worker, settle: undefined };
  const finish = (outcome: CompactorOutcome) => {
    thread.settle?.(outcome);
    thread.settle = undefined;
  };
  worker.on("message", (outcome: CompactorOutcome) => finish(outcome));
  worker.on("error", (error) => {
    onEnd(thread);
    finish({ kind: "failed", reason: `the compactor thread died: ${error.message}` });
  });
  worker.on("exit", (code) => {
    onEnd(thread);
    finish({ kind: "failed", reason: `the compactor thread ended with code ${code}` });
  });
  return thread;
}

export function createInlineCompactor(disk: Disk, later: Later): Compactor {
  let closed = false;
  const breathe = async () => {
    await new Promise<void>((resolve) => later(resolve));
    if (closed) throw new Error("the log was closed");
  };
  return {
    run: (job) => runJob(disk, job, breathe),
    rest() {},
    async close() {
      closed = true;
    },
  };
}
