/**
 * Redis comes back from an older copy while no process runs that would remember what it lacks: the database remembers,
 * so the system says so and sells nothing until an operator accepts the loss.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, startCluster } from "@plateau/demo";
import { OpsShoppers, Purchase, Sale } from "@plateau/domain";
import { findRedisServer } from "queue-core/redis";
import { afterEach, expect, it } from "vitest";
import { Api } from "../driver/api.ts";

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const folder = () => {
  const made = mkdtempSync(join(tmpdir(), "plateau-loss-"));
  ends.push(() => rmSync(made, { recursive: true, force: true }));
  return made;
};

function start(path: string): Promise<Cluster> {
  return startCluster({
    dataDir: join(path, "data"),
    counts: { gateways: 1, workers: 1, consumers: 1 },
    storefront: false,
    crowd: false,
    logFile: join(path, "cluster.log"),
    logLevel: "info",
  }).then((cluster) => {
    ends.push(() => cluster.stop());
    return cluster;
  });
}

const ask = (cluster: Cluster, method: string, path: string, token?: string) =>
  fetch(`${cluster.url}${path}`, {
    method,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });

/** Buys one unit of a new sale for each shopper; resolves once all of them have an order. */
async function sell(cluster: Cluster, count: number): Promise<void> {
  const api = new Api(cluster, new AbortController().signal);
  const sale = await api.ops(Sale, "sales", { stock: count, paymentTimeoutMs: 3_600_000 });
  const { shoppers } = await api.ops(OpsShoppers, "shoppers", { count });
  await Promise.all(
    shoppers.map(async ({ token }) => {
      const answer = await ask(cluster, "POST", `/api/sales/${sale.id}/purchases`, token);
      expect(answer.status).toBe(201);
      const { orderId = "" } = Purchase.parse(await answer.json());
      await until(async () => (await ask(cluster, "GET", `/api/orders/${orderId}`, token)).status === 200);
    }),
  );
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const endMs = performance.now() + 60_000; !(await condition()); await sleep(100)) {
    if (performance.now() > endMs) throw new Error(`never came true: ${condition}`);
  }
}

it.skipIf(findRedisServer() === undefined)(
  "a Redis restored from an older copy while nobody ran is noticed, and nothing is sold until an operator accepts it",
  async () => {
    const path = folder();
    const redis = join(path, "data", "redis");
    const first = await start(path);
    await sell(first, 3);
    await first.stop();
    cpSync(redis, join(path, "copy"), { recursive: true });
    const second = await start(path);
    expect(second.dataLost).toBeUndefined();
    await sell(second, 3);
    await second.stop();
    rmSync(redis, { recursive: true });
    cpSync(join(path, "copy"), redis, { recursive: true });

    const third = await start(path);
    expect(third.dataLost).toMatch(/data are lost: Redis does not have what it acknowledged: the data end|took over/);
    const ready = await ask(third, "GET", "/readyz");
    expect(ready.status).toBe(503);
    const told = (await ready.json()) as { code: string; detail: string; checks: unknown };
    expect(told).toMatchObject({ code: "unavailable", checks: { engine: "data-lost" } });
    expect(told.detail).toMatch(/Nothing is sold until an operator accepts the loss$/);
    expect((await ask(third, "GET", "/healthz")).status).toBe(200);
    expect((await ask(third, "POST", "/api/sales/any/purchases")).status).toBe(503);
    const log = readFileSync(join(path, "cluster.log"), "utf8");
    for (const name of ["gateway-1", "consumers-1"]) {
      expect(log).toMatch(new RegExp(`ERROR.*${name}: data are lost: .*Nothing is sold until an operator accepts`));
    }

    const acceptance = "/api/ops/data-loss/acceptance";
    expect((await ask(third, "POST", acceptance)).status).toBe(401);
    expect((await ask(third, "POST", acceptance, third.adminToken)).status).toBe(200);
    await until(async () => (await ask(third, "GET", "/readyz").catch(() => undefined))?.status === 200);
    await sell(third, 3);
  },
);
