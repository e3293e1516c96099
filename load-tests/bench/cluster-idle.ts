/**
 * The processor time of a cluster in which nothing happens: two gateways, two workers, two consumers, their Redis,
 * PostgreSQL, the outside world and this process, which supervises them and holds the front. Only the server of the
 * pages is left out; it waits for requests and asks nobody.
 *
 * Read from /proc, so on Linux alone. Nothing else runs in the cluster: no shopper, no sale but those of the timetable.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { findRedisServer } from "queue-core/redis";
import { startCluster } from "../../apps/demo/src/cluster-system.ts";
import { inOwnFolder } from "../../queue-core/bench/bed.ts";
import type { BenchOptions } from "../../queue-core/bench/row.ts";
import { canReadProcessorTime, processorTimesMs } from "./processor-time.ts";
import { type BenchRow, median } from "./table.ts";

/** What a start leaves to be done, compilation and first connections, is over. */
const settleMs = 15_000;
const windowMs = 15_000;

export function benchClusterIdle({ rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  if (findRedisServer() === undefined || !canReadProcessorTime) {
    console.log("no redis-server on the PATH, or no Linux: cluster-idle is left out");
    return Promise.resolve([]);
  }
  return inOwnFolder("idle-cluster", async (dataDir) => {
    const counts = { gateways: 2, workers: 2, consumers: 2 };
    const cluster = await startCluster({ dataDir, counts, storefront: false, crowd: false, logLevel: "warn" });
    try {
      await sleep(settleMs);
      const pids = [process.pid, ...cluster.processes.map(({ pid }) => pid)];
      const names = ["supervisor", ...cluster.processes.map(({ name }) => name)];
      const windows: (readonly number[])[] = [];
      for (let round = 0; round < rounds; round++) windows.push(await shares(pids));
      const each = names.map((name, index) => `${name} ${percent(median(windows.map((one) => one[index] ?? 0)))}`);
      const all = windows.map((one) => one.reduce((sum, share) => sum + share, 0) * 100);
      const name = "idle cluster";
      const note = `${name}: ${each.join(", ")}`;
      return [{ name, unit: "% of a core", ours: median(all), rounds, bar: 2, barIs: "at most", note }];
    } finally {
      await cluster.stop();
    }
  });
}

/** Of one core, by process; each with those below it, but for the ones that are counted themselves. */
async function shares(pids: readonly number[]): Promise<readonly number[]> {
  const before = processorTimesMs(pids);
  const startedMs = performance.now();
  await sleep(windowMs);
  const elapsedMs = performance.now() - startedMs;
  return processorTimesMs(pids).map((busyMs, index) => (busyMs - (before[index] ?? 0)) / elapsedMs);
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
