/**
 * What the settings of a Redis put at risk.
 *
 * What can go wrong: a Redis as it comes out of the box loses what it acknowledged when the machine fails (measured:
 * 31,022 of 172,584 commits with `everysec`), and one set up as a cache deletes a queue's data when memory is full.
 * A managed service may forbid to look. Promises: each setting that is not as it should be is told with what it
 * risks; what cannot be seen is told as `unknown`, never as good.
 */
import { Cluster, type Redis } from "ioredis";
import { QueueError } from "../../errors.ts";
import { describeFault } from "./connection.ts";
import type { RedisClient } from "./link.ts";

/** A setting that puts data at risk. */
export interface RedisRisk {
  readonly setting: string;
  /** `unknown` where Redis does not tell. */
  readonly found: string;
  readonly recommended: string;
  /** What can happen, as a sentence. */
  readonly risk: string;
}

/** What is recommended, and what every other value risks. */
const wanted: readonly {
  readonly setting: string;
  readonly value: string;
  readonly risk: (found: string) => string;
}[] = [
  {
    setting: "appendonly",
    value: "yes",
    risk: () => "When Redis ends, everything since its last snapshot is gone, or everything where there is none.",
  },
  {
    setting: "appendfsync",
    value: "always",
    risk: (found) =>
      found === "everysec"
        ? "When the machine fails, up to two seconds of acknowledged purchases are gone."
        : "When the machine fails, acknowledged purchases are gone, as many as the system had not written yet.",
  },
  {
    setting: "aof-load-truncated",
    value: "no",
    risk: () => "After a crash Redis loads a file that breaks off without asking, and what was behind is gone.",
  },
  {
    setting: "maxmemory-policy",
    value: "noeviction",
    risk: () => "Where memory is full Redis deletes messages, stock and results to make room.",
  },
];

const unseen = "Redis does not tell; ask whoever runs it.";
const oldestMajor = 7;

/** Rejects with INVALID_ARGUMENT where the server is too old, and with UNREACHABLE where it does not answer. */
export async function inspectServer(client: RedisClient): Promise<readonly RedisRisk[]> {
  const servers: readonly Redis[] = client instanceof Cluster ? client.nodes("master") : [client];
  const found = await Promise.all(servers.map(inspectOne));
  const risks = new Map<string, RedisRisk>();
  for (const risk of found.flat()) risks.set(`${risk.setting} ${risk.found}`, risk);
  return [...risks.values()];
}

/** Throws INVALID_ARGUMENT where the server is too old for scripts that say what they may do. */
export async function checkVersion(client: RedisClient): Promise<void> {
  const servers: readonly Redis[] = client instanceof Cluster ? client.nodes("master") : [client];
  for (const server of servers) {
    const version = field(await ask(server.info("server")), "redis_version");
    if (version === undefined || Number.parseInt(version, 10) >= oldestMajor) continue;
    throw new QueueError("INVALID_ARGUMENT", `Redis 7.0 or newer is needed, and this one is ${version}`);
  }
}

async function inspectOne(server: Redis): Promise<RedisRisk[]> {
  const names = [...wanted.map(({ setting }) => setting), "maxmemory"];
  const settings = await configOf(server, names);
  const risks = wanted.flatMap(({ setting, value, risk }): RedisRisk[] => {
    const found = settings?.get(setting);
    if (found === value) return [];
    return [
      { setting, found: found ?? "unknown", recommended: value, risk: found === undefined ? unseen : risk(found) },
    ];
  });
  return [...risks, ...memoryRisk(settings?.get("maxmemory")), ...(await liveRisks(server))];
}

function memoryRisk(maxmemory: string | undefined): RedisRisk[] {
  if (maxmemory !== undefined && maxmemory !== "0") return [];
  const risk =
    maxmemory === undefined
      ? unseen
      : "Nothing bounds Redis: where the machine's memory is full the system ends it, instead of publishes being refused.";
  return [{ setting: "maxmemory", found: maxmemory ?? "unknown", recommended: "three quarters of the memory", risk }];
}

async function liveRisks(server: Redis): Promise<RedisRisk[]> {
  const information = await ask(server.info("persistence", "replication"));
  const risks: RedisRisk[] = [];
  const written = field(information, "aof_last_write_status");
  if (written !== undefined && written !== "ok") {
    const risk = "Redis cannot write its append-only file: nothing is stored until it can.";
    risks.push({ setting: "aof_last_write_status", found: written, recommended: "ok", risk });
  }
  const replicas = field(information, "connected_slaves");
  if (replicas !== undefined && replicas !== "0") {
    const risk =
      "Replication is asynchronous: when a replica takes over, commits it did not have are gone. That is noticed, and selling stops.";
    risks.push({ setting: "replicas", found: replicas, recommended: "know it", risk });
  }
  return risks;
}

/** Undefined where it is forbidden to look. */
async function configOf(server: Redis, names: readonly string[]): Promise<Map<string, string> | undefined> {
  let pairs: unknown;
  try {
    pairs = await server.call("CONFIG", "GET", ...names);
  } catch (error) {
    if (error instanceof Error && error.name === "ReplyError") return undefined;
    throw unreachable(error);
  }
  const found = new Map<string, string>();
  if (!Array.isArray(pairs)) return undefined;
  for (let index = 0; index < pairs.length; index += 2) found.set(String(pairs[index]), String(pairs[index + 1]));
  return found;
}

async function ask(answer: Promise<string>): Promise<string> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && error.name === "ReplyError") return "";
    throw unreachable(error);
  }
}

const unreachable = (error: unknown): QueueError =>
  new QueueError("UNREACHABLE", `Redis cannot be reached: ${describeFault(error)}`);

function field(information: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\r?$`, "m").exec(information)?.[1];
}
