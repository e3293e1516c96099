/**
 * The systems that a chaos run can strike, with everything between them and their surroundings that the faults need:
 * proxies, a small disk, a wall clock that jumps.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type System, startSystem } from "@plateau/demo";
import { clockFaults, jumpingClock } from "./faults/clock-faults.ts";
import { canMount, diskFaults, mountSmallDisk } from "./faults/disk-faults.ts";
import type { Fault, Ground } from "./faults/fault.ts";
import { networkFaults } from "./faults/network-faults.ts";
import { processFaults } from "./faults/process-faults.ts";
import { providerFaults } from "./faults/provider-faults.ts";
import { queueFaults } from "./faults/queue-faults.ts";
import { openTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

export interface Profile {
  readonly ground: Ground;
  readonly faults: readonly Fault[];
  stop(): Promise<void>;
}

/** First settings: a decision costs so much that a queue builds up at the peak. */
const knobs = { decisionCostMs: 8, userRatePerSecond: 1_000, addressRatePerSecond: 10_000 };
/** A restart loop is no reason to give up. */
const restartsPerMinute = 60;

export async function startEmbedded(folder: string, signal: AbortSignal): Promise<Profile> {
  const dataDir = join(folder, "data");
  const store = join(dataDir, "queue");
  mkdirSync(store, { recursive: true });
  const unmount = canMount() ? mountSmallDisk(store) : undefined;
  const clockFile = join(folder, "clock");
  writeFileSync(clockFile, "0");
  const proxies = new Map<string, TcpProxy>();
  const closeAll = async (system: System | undefined): Promise<void> => {
    await system?.stop();
    for (const proxy of proxies.values()) await proxy.close();
    unmount?.();
  };
  try {
    const system = await startSystem({
      dataDir,
      storefront: false,
      crowd: false,
      logFile: join(folder, "system.log"),
      logLevel: "warn",
      restartsPerMinute,
      backendEnvironment: { KNOBS: JSON.stringify(knobs), ...jumpingClock(clockFile) },
      via: (to, url) => through(proxies, to, url),
      signal,
    });
    const smallDisk = unmount === undefined ? undefined : store;
    return {
      ground: { system, proxies, smallDisk, clockFile, signal },
      faults: [
        ...["backend", "sandbox", "postgres"].flatMap(processFaults),
        ...["database", "sandbox"].flatMap(networkFaults),
        ...(["payments", "sms", "risk"] as const).flatMap(providerFaults),
        ...diskFaults("backend"),
        ...clockFaults,
        ...queueFaults,
      ],
      stop: () => closeAll(system),
    };
  } catch (error) {
    await closeAll(undefined);
    throw error;
  }
}

/** The same address, by way of a proxy. */
async function through(proxies: Map<string, TcpProxy>, to: string, address: string): Promise<string> {
  const url = new URL(address);
  const proxy = await openTcpProxy({ host: url.hostname, port: Number(url.port) });
  proxies.set(to, proxy);
  url.hostname = "127.0.0.1";
  url.port = String(proxy.port);
  return url.href.replace(/\/$/, "");
}
