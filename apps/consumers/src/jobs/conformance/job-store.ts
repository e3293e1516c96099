/** The two stores as the suite opens them, each time as a process of its own would. */
import { allTopics } from "@plateau/domain";
import { openLogEngine, openQueue } from "queue-core";
import { createEmbeddedJobs } from "../embedded/embedded-jobs.ts";
import type { JobQueue } from "../job-queue.ts";
import { createBullmqJobs } from "../redis/bullmq-jobs.ts";

export type StorePlace =
  | { readonly store: "embedded"; readonly directory: string }
  | { readonly store: "redis"; readonly url: string };

export interface OpenStore {
  readonly jobs: JobQueue;
  /** Also of what stands under the jobs. */
  close(): Promise<void>;
}

/** Short, so that a killed process is noticed soon; a busy machine must not make a living one look dead. */
const leaseMs = 2_000;
const ignore = (): void => undefined;

export async function openStore(place: StorePlace): Promise<OpenStore> {
  if (place.store === "redis") {
    const jobs = createBullmqJobs({ url: place.url, lockMs: leaseMs, onError: ignore });
    return { jobs, close: () => jobs.stop() };
  }
  const engine = await openLogEngine({ directory: place.directory });
  const queue = await openQueue({ engine, topics: allTopics, leaseMs, onBackgroundError: ignore });
  const jobs = createEmbeddedJobs({ queue });
  return {
    jobs,
    close: async () => {
      await jobs.stop();
      await queue.stop();
    },
  };
}
