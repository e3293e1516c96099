/** A kind of job for the suite: its data is a text, its waits are short. */
import { type StoredJob, smsJobs } from "@plateau/domain";
import type { Topic } from "queue-core";
import type { JobKind } from "../job-queue.ts";

export const textKind = (more: Partial<JobKind<string>> = {}): JobKind<string> => ({
  name: "sms",
  topic: smsJobs as Topic<never> as Topic<StoredJob<string>>,
  concurrency: 4,
  attempts: 3,
  backoff: { firstMs: 40, longestMs: 400 },
  ...more,
});
