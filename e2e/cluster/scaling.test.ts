/**
 * Workers come and go while shoppers buy: partitions move within two leases, as the control room's own endpoint shows,
 * and no decision is lost or made twice.
 *
 * What can go wrong with the run itself: nobody buys while partitions move, so shoppers come until the end; a busy
 * machine is slow to look, so times are the engine's, told with what was seen, and never this process's.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, startCluster } from "@plateau/demo";
import { OpsMembers, OpsShoppers, Sale } from "@plateau/domain";
import { findRedisServer } from "queue-core/redis";
import { afterEach, expect, it } from "vitest";
import { Api } from "../driver/api.ts";
import { HistoryFile } from "../driver/history-file.ts";
import { seededRandom } from "../driver/seeded-random.ts";
import { noCalls, Shopper, type ShopperEnd } from "../driver/shopper.ts";

/** queue-core's default, with which the processes run. */
const leaseMs = 3_000;
const stock = 40;
const shoppersMax = 600;

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function start(): Promise<{ cluster: Cluster; history: HistoryFile }> {
  const folder = mkdtempSync(join(tmpdir(), "plateau-scaling-"));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  const cluster = await startCluster({
    dataDir: join(folder, "data"),
    counts: { gateways: 1, workers: 1, consumers: 1 },
    storefront: false,
    crowd: false,
    logFile: join(folder, "cluster.log"),
    logLevel: "warn",
    knobs: { decisionCostMs: 30, velocityPerMinute: 1_000, userRatePerSecond: 100 },
  });
  ends.push(() => cluster.stop());
  const history = new HistoryFile(join(folder, "history.jsonl"));
  ends.push(() => history.close());
  return { cluster, history };
}

/** The risk group as it is seen now. */
async function look({ url, adminToken }: Cluster) {
  const answer = await fetch(`${url}/api/ops/members`, { headers: { authorization: `Bearer ${adminToken}` } });
  const { atMs, groups } = OpsMembers.parse(await answer.json());
  const risk = groups.find(({ group }) => group === "risk");
  if (risk === undefined) throw new Error("nobody knows of the risk group");
  const owned = (process: string) => risk.partitions.filter((one) => one.process === process).length;
  return { atMs, members: risk.members, partitions: risk.partitions, owned };
}
type Seen = Awaited<ReturnType<typeof look>>;

async function lookUntil(cluster: Cluster, isSo: (seen: Seen) => boolean): Promise<Seen> {
  for (const endMs = performance.now() + 60_000; ; await sleep(50)) {
    const seen = await look(cluster);
    if (isSo(seen)) return seen;
    if (performance.now() > endMs) throw new Error(`it never came to that: ${JSON.stringify(seen.partitions)}`);
  }
}

const epochs = ({ partitions }: Seen) => partitions.map(({ epoch }) => epoch ?? 0);

it.skipIf(findRedisServer() === undefined)(
  "workers that come and go move their partitions within two leases, and no decision is lost or doubled",
  async () => {
    const { cluster, history } = await start();
    const { signal } = new AbortController();
    const api = new Api(cluster, signal);
    const sale = await api.ops(Sale, "sales", { stock, paymentTimeoutMs: 3_600_000 });
    const { shoppers } = await api.ops(OpsShoppers, "shoppers", { count: shoppersMax });
    const counts = noCalls();
    const random = seededRandom(1);
    const buying: Promise<ShopperEnd>[] = [];
    let isOver = false;
    const coming = (async () => {
      for (; !isOver && shoppers.length > 0; await sleep(250)) {
        for (const ticket of shoppers.splice(0, 4)) {
          const key = `k-${ticket.userId}`;
          const shopper = { url: cluster.url, saleId: sale.id, ticket, key, history, random, signal };
          buying.push(new Shopper(shopper, counts).shop());
        }
      }
    })();

    const alone = await lookUntil(cluster, ({ owned }) => owned("worker-1") === 8);
    await cluster.scale("workers", 2);
    const shared = await lookUntil(cluster, ({ owned }) => owned("worker-1") === 4 && owned("worker-2") === 4);
    const newcomer = shared.members.find(({ process }) => process === "worker-2");
    expect(shared.atMs - (newcomer?.sinceMs ?? 0)).toBeLessThan(2 * leaseMs);
    // Who kept a partition kept its epoch; a new owner has a higher one.
    for (const [partition, { process }] of shared.partitions.entries()) {
      const [before = 0, after = 0] = [epochs(alone)[partition], epochs(shared)[partition]];
      if (process === "worker-1") expect(after).toBe(before);
      else expect(after).toBeGreaterThan(before);
    }

    const begun = counts.begun;
    const { atMs: leftAtMs } = await look(cluster);
    const leaving = cluster.scale("workers", 1);
    const rest = await lookUntil(cluster, ({ owned, members }) => owned("worker-1") === 8 && members.length === 1);
    expect(rest.atMs - leftAtMs).toBeLessThan(2 * leaseMs);
    expect(epochs(rest).every((epoch, partition) => epoch >= (epochs(shared)[partition] ?? 0))).toBe(true);
    await leaving;
    await lookUntil(cluster, ({ partitions }) => partitions.every(({ committed, end }) => end - committed < 50));
    isOver = true;
    await coming;
    const told = await Promise.all(buying);

    expect(begun).toBeGreaterThan(0);
    expect(counts.begun).toBeGreaterThan(begun);
    expect(counts.unexpected).toEqual([]);
    expect(told.filter(({ state }) => state === "won").length).toBe(Math.min(stock, told.length));
    const { verdict, invariants } = await api.audit(sale.id, history.text());
    expect(invariants.filter((one) => one.verdict !== "pass")).toEqual([]);
    expect(verdict).toBe("pass");
  },
);
