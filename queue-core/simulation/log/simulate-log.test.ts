import { expect, it } from "vitest";
import { simulateLog } from "./simulate-log.ts";

it("a run of the log alone replays exactly, and reaches snapshots, crashes and restarts", async () => {
  let snapshots = 0;
  for (const seed of ["1", "2", "3", "4", "5"]) {
    const first = await simulateLog({ seed });
    const second = await simulateLog({ seed, trace: "lines" });
    expect(first.violation).toBeUndefined();
    expect(second.hash).toBe(first.hash);
    expect(first.counts.commits).toBeGreaterThan(0);
    snapshots += first.counts.snapshots ?? 0;
  }
  expect(snapshots).toBeGreaterThan(0);
});
