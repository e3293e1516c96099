/**
 * How connections to Redis are made, and how their faults are told.
 *
 * What can go wrong: a password in an error, a log or a health page. Promise: what is told of an address is host and
 * port; what a library says of a fault goes through `describeFault`, which takes out everything that looks like an
 * address with credentials, and the password itself.
 */
import { Cluster, Redis } from "ioredis";
import { QueueError } from "../../errors.ts";
import type { RedisClient } from "./link.ts";

/** Where Redis is: one server, `redis://[user:password@]host[:port][/database]` or `rediss://…`, or some nodes of a cluster. */
export type RedisAddress = { readonly url: string } | { readonly cluster: readonly string[] };

const connectTimeoutMs = 5_000;

/** Throws INVALID_ARGUMENT for what is no address. Each call of what it returns makes one client, not yet connected. */
export function clientMaker(address: RedisAddress, name: string): () => RedisClient {
  const common = {
    protocol: 2,
    connectTimeout: connectTimeoutMs,
    connectionName: name,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    lazyConnect: true,
    noDelay: true,
  } as const;
  if ("url" in address) {
    const url = parse(address.url);
    return () => new Redis(url.href, { ...common, enableOfflineQueue: false, retryStrategy: () => null });
  }
  const nodes = address.cluster.map(parse);
  const [first] = nodes;
  if (first === undefined) throw new QueueError("INVALID_ARGUMENT", "a cluster needs the address of one node at least");
  const credentials = {
    ...(first.username === "" ? {} : { username: decodeURIComponent(first.username) }),
    ...(first.password === "" ? {} : { password: decodeURIComponent(first.password) }),
    ...(first.protocol === "rediss:" ? { tls: {} } : {}),
  };
  return () =>
    new Cluster(
      nodes.map(({ hostname, port }) => ({ host: hostname, port: Number(port || 6379) })),
      {
        lazyConnect: true,
        enableOfflineQueue: false,
        clusterRetryStrategy: () => null,
        redisOptions: { ...common, ...credentials },
      },
    );
}

/** Host and port alone. */
export function describeAddress(address: RedisAddress): string {
  const urls = "url" in address ? [address.url] : address.cluster;
  return urls
    .map(parse)
    .map((url) => `${url.hostname}:${url.port || 6379}`)
    .join(", ");
}

/** One line without credentials. */
export function describeFault(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replaceAll(/\b(rediss?:\/\/)[^\s@]*@/gi, "$1").slice(0, 500);
}

function parse(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !["redis:", "rediss:"].includes(url.protocol)) {
    // The text itself may hold a password.
    throw new QueueError("INVALID_ARGUMENT", "an address of Redis is redis://host:port or rediss://host:port");
  }
  return url;
}
