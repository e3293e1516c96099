/**
 * Every process of a cluster is replaced while shoppers buy, and workers come and go: nobody is told anything that is
 * not true later, nobody is turned away but for load, and nothing is lost.
 *
 * What can go wrong with the run itself: nobody buys while a process is replaced; so the shoppers keep coming until
 * the last one is back, and every replacement must have had calls under way.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, startCluster } from "@plateau/demo";
import { type HistoryEntry, OpsShoppers, Sale } from "@plateau/domain";
import { findRedisServer } from "queue-core/redis";
import { afterEach, expect, it } from "vitest";
import { Api } from "../driver/api.ts";
import { HistoryFile } from "../driver/history-file.ts";
import { seededRandom } from "../driver/seeded-random.ts";
import { noCalls, Shopper, type ShopperEnd, type ShopperTicket } from "../driver/shopper.ts";

const stock = 60;
const shoppersMax = 900;
const perWave = 4;
const waveEveryMs = 250;

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function start(): Promise<{ cluster: Cluster; history: HistoryFile }> {
  const folder = mkdtempSync(join(tmpdir(), "plateau-cluster-"));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  const cluster = await startCluster({
    dataDir: join(folder, "data"),
    counts: { gateways: 2, workers: 2, consumers: 2 },
    storefront: false,
    crowd: false,
    logFile: join(folder, "cluster.log"),
    logLevel: "warn",
    // Slow enough that there is always something on its way.
    knobs: { decisionCostMs: 30, velocityPerMinute: 1_000, userRatePerSecond: 100 },
  });
  ends.push(() => cluster.stop());
  const history = new HistoryFile(join(folder, "history.jsonl"));
  ends.push(() => history.close());
  return { cluster, history };
}

it.skipIf(findRedisServer() === undefined)(
  "a rolling restart of every process and a change of their numbers lose nothing and refuse nobody but for load",
  async () => {
    const { cluster, history } = await start();
    const { signal } = new AbortController();
    const api = new Api(cluster, signal);
    const sale = await api.ops(Sale, "sales", { stock, paymentTimeoutMs: 3_600_000 });
    const { shoppers } = await api.ops(OpsShoppers, "shoppers", { count: shoppersMax });
    const counts = noCalls();
    const random = seededRandom(1);
    const buying: Promise<ShopperEnd>[] = [];
    const send = (ticket: ShopperTicket) => {
      const shopper = { url: cluster.url, saleId: sale.id, ticket, key: `k-${ticket.userId}`, history, random, signal };
      buying.push(new Shopper(shopper, counts).shop());
    };
    let isOver = false;
    const coming = (async () => {
      while (!isOver && shoppers.length > 0) {
        shoppers.splice(0, perWave).forEach(send);
        await sleep(waveEveryMs);
      }
    })();

    const begunAtEach: number[] = [counts.begun];
    const note = () => begunAtEach.push(counts.begun);
    for (const name of ["gateway-1", "worker-1", "consumers-1", "gateway-2", "worker-2", "consumers-2"]) {
      await cluster.restart(name);
      note();
    }
    await cluster.scale("workers", 3);
    note();
    await cluster.scale("gateways", 1);
    await cluster.scale("workers", 1);
    isOver = true;
    await coming;
    const told = await Promise.all(buying);

    expect(begunAtEach.every((begun, index) => index === 0 || begun > (begunAtEach[index - 1] ?? 0))).toBe(true);
    expect(counts.unexpected).toEqual([]);
    expect(refusalsOf(history).filter(({ status, code }) => status >= 500 && code !== "overloaded")).toEqual([]);
    expect(told.filter(({ state }) => state === "won")).toHaveLength(stock);
    const { verdict, invariants } = await api.audit(sale.id, history.text());
    expect(invariants.filter((one) => one.verdict !== "pass")).toEqual([]);
    expect(verdict).toBe("pass");
  },
);

function refusalsOf(history: HistoryFile): { status: number; code: string | undefined }[] {
  const entries = history
    .text()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as HistoryEntry);
  return entries.flatMap(({ type, value }) =>
    type === "fail" && value?.status !== undefined ? [{ status: value.status, code: value.code }] : [],
  );
}
