/**
 * The systems that a chaos run can strike, with everything between them and their surroundings that the faults need:
 * proxies, a small disk, a wall clock that jumps.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startCluster, startSystem } from "@plateau/demo";
import { clockFaults, jumpingClock } from "./faults/clock-faults.ts";
import { canMount, diskFaults, mountSmallDisk } from "./faults/disk-faults.ts";
import type { Fault, Ground } from "./faults/fault.ts";
import { networkFaults } from "./faults/network-faults.ts";
import { processFaults } from "./faults/process-faults.ts";
import { providerFaults } from "./faults/provider-faults.ts";
import { queueFaults, repeatedReplies } from "./faults/queue-faults.ts";
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

/** What both profiles put around a system. */
interface Surroundings {
  readonly dataDir: string;
  /** The store's own folder, on a small disk where this machine allows one. */
  readonly smallDisk: string | undefined;
  readonly clockFile: string;
  readonly proxies: Map<string, TcpProxy>;
  readonly via: (to: string, url: string) => Promise<string>;
  remove(): Promise<void>;
}

export function startEmbedded(folder: string, signal: AbortSignal): Promise<Profile> {
  return startAround(folder, "queue", async (around) => {
    const system = await startSystem({
      ...commonOptions(folder, around, signal),
      backendEnvironment: { KNOBS: JSON.stringify(knobs), ...jumpingClock(around.clockFile) },
    });
    return {
      ground: { system, ...around, signal },
      faults: [...["backend", "sandbox", "postgres"].flatMap(processFaults), ...diskFaults("backend"), ...faultsOfBoth],
    };
  });
}

/** Two of each, so that partitions can move, on a Redis of their own. */
export function startManyProcesses(folder: string, signal: AbortSignal): Promise<Profile> {
  return startAround(folder, "redis", async (around) => {
    const system = await startCluster({
      ...commonOptions(folder, around, signal),
      counts: { gateways: 2, workers: 2, consumers: 2 },
      knobs,
      environment: jumpingClock(around.clockFile),
    });
    const processes = ["gateway-1", "worker-1", "worker-2", "consumers-1", "redis", "sandbox", "postgres"];
    return {
      ground: { system, ...around, signal },
      faults: [
        ...processes.flatMap(processFaults),
        ...networkFaults("redis"),
        ...diskFaults("redis"),
        ...repeatedReplies(system.redisUrl),
        ...faultsOfBoth,
      ],
    };
  });
}

/** Where the store's disk is full, it is the one that is small. */
const faultsOfBoth: readonly Fault[] = [
  ...["database", "sandbox"].flatMap(networkFaults),
  ...(["payments", "sms", "risk"] as const).flatMap(providerFaults),
  ...clockFaults,
  ...queueFaults,
];

const commonOptions = (folder: string, { dataDir, via }: Surroundings, signal: AbortSignal) => ({
  dataDir,
  storefront: false,
  crowd: false,
  logFile: join(folder, "system.log"),
  logLevel: "warn" as const,
  restartsPerMinute,
  via,
  signal,
});

async function startAround(
  folder: string,
  store: string,
  start: (around: Surroundings) => Promise<Omit<Profile, "stop">>,
): Promise<Profile> {
  const around = surround(folder, store);
  try {
    const profile = await start(around);
    return {
      ...profile,
      async stop() {
        await profile.ground.system.stop();
        await around.remove();
      },
    };
  } catch (error) {
    await around.remove();
    throw error;
  }
}

function surround(folder: string, store: string): Surroundings {
  const dataDir = join(folder, "data");
  const storeFolder = join(dataDir, store);
  mkdirSync(storeFolder, { recursive: true });
  const unmount = canMount() ? mountSmallDisk(storeFolder) : undefined;
  const clockFile = join(folder, "clock");
  writeFileSync(clockFile, "0");
  const proxies = new Map<string, TcpProxy>();
  return {
    dataDir,
    smallDisk: unmount === undefined ? undefined : storeFolder,
    clockFile,
    proxies,
    via: (to, url) => through(proxies, to, url),
    async remove() {
      for (const proxy of proxies.values()) await proxy.close();
      unmount?.();
    },
  };
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
