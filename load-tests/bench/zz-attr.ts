import { join } from "node:path";
import { mkdtempSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { startCluster } from "../../apps/demo/src/cluster-system.ts";
import { BenchChild } from "./child.ts";
import { runRound } from "./generator.ts";
import { caughtUp, liftLimits, openSale, ops, shoppers } from "./system-calls.ts";
import { processorTimesMs } from "./processor-time.ts";
const N = Number(process.env.N ?? 6000), rounds = Number(process.env.ROUNDS ?? 2), prof = process.env.PROF === "1";
const dataDir = mkdtempSync("/tmp/cpu/data-");
const environment = prof ? { NODE_OPTIONS: "--import=/tmp/cpu/prof.mjs" } : {};
const cluster = await startCluster({ dataDir, counts: { gateways: 2, workers: 2, consumers: 2 }, storefront: false, crowd: false, logLevel: "warn", environment });
const generator = new BenchChild("./generator.ts");
const redis = new Redis(cluster.redisUrl);
async function commands(): Promise<Record<string, [number, number]>> {
  const out: Record<string, [number, number]> = {};
  for (const line of (await redis.info("commandstats")).split("\r\n")) {
    const m = /^cmdstat_([^:]+):calls=(\d+),usec=(\d+)/.exec(line);
    if (m) out[m[1]!] = [Number(m[2]), Number(m[3])];
  }
  return out;
}
try {
  await liftLimits(cluster);
  const tokens = await shoppers(cluster, N);
  const ports = cluster.processes.flatMap(({ url }) => (url === undefined ? [] : [Number(new URL(url).port)]));
  const names = cluster.processes.map(({ name }) => name);
  const pids = cluster.processes.map(({ pid }) => pid);
  const gen = (generator as any);
  if (process.env.IDLE) {
    await sleep(Number(process.env.SETTLE ?? 12000));
    const all = [process.pid, ...pids];
    const c0 = await commands(); const b = processorTimesMs(all); const t0 = performance.now();
    await sleep(Number(process.env.IDLE));
    const a = processorTimesMs(all), ms = performance.now() - t0; const c1 = await commands();
    console.log("IDLE %", ["sup", ...names].map((n, i) => `${n} ${(((a[i]! - b[i]!) / ms) * 100).toFixed(2)}`).join(", "), "sum", (a.reduce((x, y, i) => x + y - b[i]!, 0) / ms * 100).toFixed(2));
    console.log("idle cmds/s", Object.entries(c1).map(([k, [n]]) => [k, (n - (c0[k]?.[0] ?? 0)) / (ms / 1000)] as const).filter(([, n]) => n > 0.3).sort((x, y) => y[1] - x[1]).map(([k, n]) => `${k} ${n.toFixed(1)}`).join(", "));
  }
  const trips = async () => { await sleep(1500); return ((await ops(cluster, "GET", "/statistics")) as any).engine.roundTrips.all as number; };
  for (let r = 0; r <= rounds; r++) {
    const saleId = await openSale(cluster, N);
    await caughtUp(cluster);
    const t0 = await trips();
    const all = [process.pid, ...pids, gen["pid"] ?? 0].filter(Boolean);
    const c0 = await commands();
    const before = processorTimesMs(all);
    const w0 = performance.now();
    const profiling = prof && r === rounds;
    const mine = cluster.processes.filter(({ name }) => /^(gateway|worker|consumers)-1$/.test(name));
    if (profiling) for (const { pid } of mine) process.kill(pid, "SIGUSR2");
    const job = { host: "127.0.0.1", ports, path: `/api/sales/${saleId}/purchases`, body: JSON.stringify({ quantity: 1 }), tokens, keyPrefix: `b${r}`, connections: Number(process.env.CONN ?? 256) };
    const result = await runRound(generator, job, "201");
    const mid = processorTimesMs(all);
    await caughtUp(cluster);
    const wall = performance.now() - w0;
    if (profiling) { for (const { pid } of mine) process.kill(pid, "SIGUSR2"); await sleep(1500); }
    const after = processorTimesMs(all); const c1 = await commands();
    const t1 = await trips();
    const lat = [...result.latenciesMs].sort((a, b) => a - b);
    console.log(`round ${r}: ${(N / result.elapsedMs * 1000).toFixed(0)}/s, wall incl. catching up ${(wall/1000).toFixed(1)} s, answered in ${(result.elapsedMs/1000).toFixed(1)}, p50 ${lat[N >> 1]!.toFixed(0)} p99 ${lat[Math.floor(N * 0.99)]!.toFixed(0)}; trips ${((t1 - t0) / N).toFixed(3)}`);
    const label = ["supervisor", ...names];
    const us = (a: readonly number[], i: number) => Math.round((a[i]! - before[i]!) * 1000 / N);
    console.log("  us/purchase (all; peak):", label.map((n, i) => `${n} ${us(after, i)};${us(mid, i)}`).join(", "), "SUM", label.reduce((s, _, i) => s + us(after, i), 0), ";", label.reduce((s, _, i) => s + us(mid, i), 0));
    console.log("  cmds/purchase [us each]:", Object.entries(c1).map(([k, [n, u]]) => [k, (n - (c0[k]?.[0] ?? 0)) / N, (u - (c0[k]?.[1] ?? 0)) / N] as const).filter(([, n]) => n > 0.005).sort((x, y) => y[2] - x[2]).map(([k, n, u]) => `${k} ${n.toFixed(3)} (${u.toFixed(0)}us)`).join(", "));
  }
} finally {
  redis.disconnect(); await generator.stop(); await cluster.stop(); rmSync(dataDir, { recursive: true, force: true });
}
