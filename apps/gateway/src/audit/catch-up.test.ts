import type { JobOffice } from "@plateau/hosting/jobs";
import { expect, it } from "vitest";
import { waitForJobs } from "./catch-up.ts";

/** `pendingAt` gives the marks of payment jobs at each look; there are no others. */
const backlog = (pendingAt: (look: number) => readonly string[]): JobOffice & { looks: number } => ({
  looks: 0,
  counts: async () => ({ waiting: 0, delayed: 0, failed: 0 }),
  async pending({ name }) {
    return new Set(name === "payment" ? pendingAt(this.looks++) : []);
  },
  failed: async () => [],
  retryFailed: async () => 0,
  stop: async () => undefined,
});

it("jobs that were there are waited for, those that come meanwhile are not", async () => {
  const jobs = backlog((look) => [`new ${look}`, ...(look < 3 ? ["soon"] : [])]);
  expect(await waitForJobs(jobs, 60_000, () => 0)).toEqual([]);
  expect(jobs.looks).toBe(4);
});

it("jobs that are left when the patience ends are lag, so that the audit says unknown", async () => {
  const jobs = backlog((look) => [`new ${look}`, "stuck", "stuck too"]);
  let nowMs = 0;
  const lag = await waitForJobs(jobs, 500, () => (nowMs += 100));
  expect(lag).toEqual([{ group: "payment", topic: "payment-jobs", behindMessages: 2 }]);
});
